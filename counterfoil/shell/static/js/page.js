// On every page. A form is sent once: a second click while it travels is no second order. What opens elsewhere, such as a
// preview beside the form, leaves it to be sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || event.defaultPrevented || "many" in form.dataset) return;
  const where = event.submitter?.formTarget || form.target;
  if (where && where !== "_self") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  form.querySelectorAll("button").forEach((button) => button.setAttribute("aria-busy", "true"));
  setTimeout(release, LOST, form);
});

// After a minute without another page it was stopped, or lost on the way, and nothing tells: it may be sent again.
const LOST = 60_000; // ms
function release(form) {
  delete form.dataset.sent;
  form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
}

// The second click of a double click is not for what has come under the pointer since the first.
let pressed = null;
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button, a");
  if (event.detail > 1 && button && pressed && button !== pressed) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (event.detail > 0) pressed = button;
}, true);

// Back to a page that the browser kept: its forms may be sent again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach(release);
});

// After a refusal the first wrong field has the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// A table that is wider than its place can be scrolled by keyboard too; one that fits is no stop on the way.
const places = new ResizeObserver((seen) => {
  for (const { target } of seen) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".wide-table").forEach((place) => places.observe(place));
