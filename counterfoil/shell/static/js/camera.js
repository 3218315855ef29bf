// Bar codes by camera: the browser's own reader where it has one, else one that comes along (vendor/zxing.min.js), which
// is loaded when somebody wants it.
const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "qr_code"];
const AGAIN = 1200; // milliseconds out of sight, and the same code is another unit
const SURE = 1000; // milliseconds within which two pictures must agree
const PAUSE = 100;
const LONGEST = 1280; // pixels of a picture's longer side that are looked at

export const possible = () => Boolean(navigator.mediaDevices?.getUserMedia);

async function own() {
  if (!("BarcodeDetector" in window)) return null;
  const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
  const formats = FORMATS.filter((one) => known.includes(one));
  if (!formats.includes("ean_13") || !formats.includes("code_128")) return null;
  const detector = new BarcodeDetector({ formats });
  return async (video) => (await detector.detect(video).catch(() => []))[0]?.rawValue ?? "";
}

async function brought() {
  await import("../vendor/zxing.min.js");
  const { BarcodeFormat, BinaryBitmap, DecodeHintType, HybridBinarizer, MultiFormatOneDReader, QRCodeReader, RGBLuminanceSource } = globalThis.ZXing;
  const hints = new Map([
    [DecodeHintType.POSSIBLE_FORMATS, FORMATS.map((one) => BarcodeFormat[one.toUpperCase()])],
    [DecodeHintType.TRY_HARDER, true],
  ]);
  const readers = [new MultiFormatOneDReader(hints), new QRCodeReader()];
  const read = (grey, width, height) => {
    const picture = new BinaryBitmap(new HybridBinarizer(new RGBLuminanceSource(grey, width, height)));
    for (const reader of readers) {
      try {
        return reader.decode(picture, hints).getText();
      } catch { /* nothing of its kind is in it */ }
    }
    return "";
  };
  return agreeing(pictures(read));
}

// Every other picture is turned: bars are read from left to right only, and bottles lie.
function pictures(read) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  let turned = false;
  return (video) => {
    const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
    [canvas.width, canvas.height] = turned ? [height, width] : [width, height];
    if (turned) {
      pen.translate(height, 0);
      pen.rotate(Math.PI / 2);
    }
    pen.drawImage(video, 0, 0, width, height);
    turned = !turned;
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    const grey = new Uint8ClampedArray(canvas.width * canvas.height);
    for (let at = 0; at < grey.length; at += 1) grey[at] = (data[4 * at] + 2 * data[4 * at + 1] + data[4 * at + 2]) >> 2;
    return read(grey, canvas.width, canvas.height);
  };
}

// A line of bars can be misread now and then: what two pictures say is believed.
function agreeing(look) {
  let last = "", at = 0;
  return (video) => {
    const text = look(video);
    if (!text) return "";
    const sure = text === last && Date.now() - at < SURE;
    [last, at] = [text, Date.now()];
    return sure ? text : "";
  };
}

// Shows the camera in `video` and calls `heard` with each code once; gives what ends it. Throws when there is no camera,
// when it is not allowed, or when the reader cannot be loaded.
export async function watch(video, heard) {
  const looking = navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
  const stop = () => {
    video.srcObject?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    video.hidden = true;
  };
  video.srcObject = await looking;
  let read;
  try {
    read = await own() ?? await brought();
    video.hidden = false;
    await video.play();
  } catch (trouble) {
    stop();
    throw trouble;
  }
  let last = "", seen = 0;
  const frame = async () => {
    if (!video.srcObject) return;
    const text = video.videoWidth ? (await read(video)).trim().toUpperCase() : "";
    // The address that many labels bear as a square code names no product.
    if (text && !/^HTTPS?:/.test(text)) {
      const another = text !== last || Date.now() - seen > AGAIN;
      [last, seen] = [text, Date.now()];
      if (another && video.srcObject) heard(text);
    }
    setTimeout(frame, PAUSE);
  };
  frame();
  return stop;
}

// The button beside a scan field. `after`: where the focus goes when the camera is closed.
export function offer(heard, after) {
  const button = document.getElementById("camera");
  const hint = document.getElementById("camera-hint");
  const video = document.getElementById("seen");
  if (!button) return;
  if (!possible()) {
    hint.textContent = "No camera can be used here (it needs https): use a hand scanner, or type what stands below the bars.";
    return;
  }
  const usual = hint.textContent;
  let stop = null, opening = false;
  const say = (words, open) => {
    hint.textContent = words;
    button.setAttribute("aria-pressed", String(open));
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (opening) return;
    if (stop) {
      stop();
      stop = null;
      say(usual, false);
      return after();
    }
    opening = true;
    hint.textContent = "The camera is being opened…";
    try {
      stop = await watch(video, heard);
      say("Hold the bars into the picture.", true);
    } catch (trouble) {
      const camera = trouble instanceof DOMException;
      say(`${camera ? "The camera is not allowed, or taken" : "What reads bar codes could not be loaded"}: use a hand scanner, or type what stands below the bars.`, false);
      after();
    } finally {
      opening = false;
    }
  });
}
