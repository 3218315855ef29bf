// Right: green, a tick, a short high tone. Wrong: red, a long low tone, and what it should have been.
let audio = null;

function tone(hertz, seconds) {
  try {
    audio ??= new AudioContext();
    const wave = audio.createOscillator();
    const loud = audio.createGain();
    wave.frequency.value = hertz;
    loud.gain.setValueAtTime(0.25, audio.currentTime);
    loud.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + seconds);
    wave.connect(loud).connect(audio.destination);
    wave.start();
    wave.stop(audio.currentTime + seconds);
  } catch { /* a telephone without sound still shows it */ }
}

const verdict = document.getElementById("verdict");
let fading = 0;

function show(kind, glyph, words) {
  if (!verdict) return;
  verdict.className = `verdict ${kind}`;
  verdict.replaceChildren();
  const mark = document.createElement("span");
  mark.ariaHidden = "true";
  mark.textContent = glyph;
  verdict.append(mark, words);
  document.body.classList.remove("flash-right", "flash-wrong");
  void document.body.offsetWidth; // so that a second flash begins anew
  document.body.classList.add(kind === "right" ? "flash-right" : "flash-wrong");
  clearTimeout(fading);
  if (kind === "right") fading = setTimeout(() => { verdict.className = "verdict"; verdict.replaceChildren(); }, 1800);
}

export function right(words) {
  tone(1318, 0.12);
  show("right", "✓", words);
}

export function wrong(words) {
  tone(165, 0.9);
  navigator.vibrate?.([200, 80, 200]);
  show("refused", "✕", words);
}
