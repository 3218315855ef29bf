// Scanning: a hand scanner types into the field, or the camera reads.
import { offer } from "../camera.js";

const field = document.querySelector("#scanner [data-scan]");
const OTHERS = "input, textarea, select, dialog[open]";

export const code = (text) => text.trim().toUpperCase();
// A UPC without the 0 with which some scanners make an EAN of it.
const bare = (text) => (/^0[0-9]{12}$/.test(text) ? text.slice(1) : text);
export const says = (thing, scanned) => scanned === code(thing.dataset.sku) || (thing.dataset.barcode !== "" && bare(scanned) === bare(code(thing.dataset.barcode)));

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
  offer(heard, focus);
}

// On a telephone a tap easily becomes two, and the second would be for the next stop, or for a second bottle that broke.
document.addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest?.("#walk button, #units button, #box button")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
