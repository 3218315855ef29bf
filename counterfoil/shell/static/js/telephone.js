// An order by telephone without a mouse: arrows walk through what was found, Enter takes the first of it, Escape goes back.
// Everything here is also a button in the tab order: without this file the page works as well.
const finds = (field) => [...document.querySelectorAll(`#${field.dataset.finds} .find-it:not(:disabled)`)];
let hurried = null; // Enter was pressed before the answer came: what it finds first is taken

function takeFirst(field) {
  const first = finds(field)[0];
  if (first) first.click();
  return Boolean(first);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest?.("[data-finds]");
  if (field) {
    if (event.key === "ArrowDown" && finds(field).length) {
      event.preventDefault();
      finds(field)[0].focus();
    } else if (event.key === "Enter" && field.value.trim()) {
      event.preventDefault();
      const fresh = field.dataset.asked === field.value;
      if (!fresh || !takeFirst(field)) hurried = fresh ? null : field.id;
    }
    return;
  }
  const found = event.target.closest?.(".find-it");
  if (!found) return;
  const all = [...found.closest(".finds").querySelectorAll(".find-it:not(:disabled)")];
  const at = all.indexOf(found);
  const owner = document.querySelector(`[data-finds="${found.closest("[id]").id}"]`);
  if (event.key === "ArrowDown") all[Math.min(at + 1, all.length - 1)].focus();
  else if (event.key === "ArrowUp") (at ? all[at - 1] : owner).focus();
  else if (event.key === "Escape") owner.focus();
  else return;
  event.preventDefault();
});

// Somebody who opens the second address means to use it.
document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".tel .bill")) event.target.closest("form").elements.other_billing.checked = event.target.open;
}, true);

// Which text the list that is shown belongs to.
document.addEventListener("htmx:afterRequest", (event) => {
  const field = event.target.closest?.("[data-finds]");
  if (!field || !event.detail.successful) return;
  field.dataset.asked = event.detail.requestConfig.parameters[field.name] ?? "";
  // Where answers settle at once, that was before this: look once more.
  setTimeout(hurry, 30);
});
document.addEventListener("htmx:afterSettle", hurry);

function hurry() {
  const field = hurried && document.getElementById(hurried);
  if (!field || field.dataset.asked !== field.value) return;
  hurried = null;
  takeFirst(field);
}

// While the whole form is drawn again they talk on: what is typed meanwhile stays, and so does the place of typing.
const TYPED = "input:not([type=hidden], [type=radio], [type=checkbox]), textarea, select";
const values = (form) => new Map([...form.querySelectorAll(TYPED)].map((one) => [one.name, one.value]));
let asked = new Map();
let meanwhile = [];
let typing = "";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "telephone") asked = values(event.detail.target);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = event.detail.target;
  if (form.id !== "telephone") return;
  meanwhile = [...values(form)].filter(([name, value]) => asked.has(name) && asked.get(name) !== value);
  typing = meanwhile.some(([name]) => name === document.activeElement?.name) ? document.activeElement.name : "";
});
document.addEventListener("htmx:afterSettle", () => {
  const form = document.getElementById("telephone");
  for (const [name, value] of meanwhile.splice(0)) {
    const field = form?.querySelector(`[name="${CSS.escape(name)}"]`);
    if (!field) continue;
    field.value = value;
    if (name === typing) field.focus();
    field.dispatchEvent(new Event(field.matches("[data-finds]") ? "input" : "change", { bubbles: true }));
  }
});
