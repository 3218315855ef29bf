// A page with a scan field. A keyboard-wedge scanner types wherever the focus is: whatever is typed outside of other
// fields goes into the scan field, and the desk's single keys are quiet here. Tab leads to everything as usual. What the
// camera reads is sent as if it had been typed.
import { offer } from "./camera.js";

const field = document.querySelector("[data-scan]");
const OTHERS = "input, textarea, select, dialog[open]";

if (field) {
  if (!document.querySelector("[aria-invalid=true]:not([data-scan])")) field.focus({ preventScroll: true });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
    if (event.target.closest?.(OTHERS) || (event.key === " " && event.target.closest?.("button, a, summary"))) return;
    event.stopPropagation();
    field.focus({ preventScroll: true });
  }, true);
  offer((text) => {
    field.value = text;
    field.form.requestSubmit();
  }, () => field.focus({ preventScroll: true }));
}
