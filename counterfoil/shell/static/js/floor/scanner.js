// Scanning: a hand scanner types into the field, or the camera reads, where this browser can read bar codes.
const field = document.querySelector("#scanner [data-scan]");
const button = document.getElementById("camera");
const hint = document.getElementById("camera-hint");
const video = document.getElementById("seen");
const OTHERS = "input, textarea, select, dialog[open]";
const AGAIN = 1500; // milliseconds before the camera takes the same code for another unit

export const code = (text) => text.trim().toUpperCase();
export const says = (thing, scanned) => scanned === code(thing.dataset.sku) || (thing.dataset.barcode !== "" && scanned === code(thing.dataset.barcode));

// What is wrong with a scan: the other vintage is named, loudly.
export function judge(scanned, wanted, kin, others) {
  const should = `It should be ${wanted.dataset.name} (${wanted.dataset.sku})`;
  const near = kin.find((other) => says(other, scanned));
  if (near) return `WRONG VINTAGE: this is ${near.dataset.name} (${near.dataset.sku}). ${should}`;
  const other = others.find((one) => says(one, scanned));
  return `Wrong: ${other ? `this is ${other.dataset.name} (${other.dataset.sku})` : "this code is none of this walk"}. ${should}`;
}

export const focus = () => field?.focus({ preventScroll: true });

export function listen(heard) {
  document.getElementById("scanner").hidden = false;
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const text = code(field.value);
    field.value = "";
    if (text) heard(text);
  });
  // A hand scanner types wherever the focus is.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.target.closest?.(OTHERS) || (event.key === " " && event.target.closest?.("button, a"))) return;
    focus();
  }, true);
  focus();
  if ("BarcodeDetector" in window && navigator.mediaDevices) {
    button.hidden = false;
    button.addEventListener("click", () => (button.getAttribute("aria-pressed") === "true" ? stop() : look(heard)));
  } else {
    hint.textContent = "This browser cannot read bar codes with its camera: use a hand scanner, or type what stands below the bars.";
  }
}

function stop() {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  video.hidden = true;
  button.setAttribute("aria-pressed", "false");
  focus();
}

async function look(heard) {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    hint.textContent = "The camera is not allowed, or taken: use a hand scanner, or type what stands below the bars.";
    return focus();
  }
  button.setAttribute("aria-pressed", "true");
  video.hidden = false;
  await video.play();
  const detector = new BarcodeDetector();
  let last = "", at = 0;
  const frame = async () => {
    if (!video.srcObject) return;
    const found = await detector.detect(video).catch(() => []);
    const text = found.length ? code(found[0].rawValue) : "";
    if (text && (text !== last || Date.now() - at > AGAIN)) {
      [last, at] = [text, Date.now()];
      heard(text);
    }
    setTimeout(frame, 150);
  };
  frame();
}
