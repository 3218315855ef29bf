// The desk by keyboard: j k move, x ticks, Enter opens, a goes to the next action, / finds, ? shows the keys.
// Everything here is also a link, a tick box or a button: without this file the desk works as well.
const KEYS_OFF = "counterfoil.single-keys-off";
const off = () => localStorage.getItem(KEYS_OFF) === "1";

const rows = () => [...document.querySelectorAll("#list .row")];
const current = () => document.querySelector("#list .row.on");

function choose(row) {
  if (!row) return;
  const link = row.querySelector(".n");
  rows().forEach((other) => {
    other.classList.toggle("on", other === row);
    other.querySelector(".n").removeAttribute("aria-current");
  });
  link.setAttribute("aria-current", "true");
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

let waiting = 0;
function show(row) {
  choose(row);
  // The slip follows the cursor once it rests: holding j down does not ask for every slip on the way.
  clearTimeout(waiting);
  waiting = setTimeout(() => row?.querySelector(".n[hx-get]")?.click(), 90);
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  show(all[Math.min(all.length - 1, Math.max(0, at + by))]);
}

function keysDialog() {
  const dialog = document.getElementById("keys");
  dialog.querySelector("#single-keys").checked = !off();
  dialog.showModal();
}

const acts = {
  j: () => step(1),
  k: () => step(-1),
  x: () => current()?.querySelector(".box input")?.click(),
  a: () => document.querySelector("[data-next] :is(input:not([type=hidden]), button, a)")?.focus(),
  "/": () => document.getElementById("find")?.focus(),
  "?": keysDialog,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.matches?.("#find")) return event.target.blur();
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
  if (event.key === "Enter" && event.target.matches?.("#list .n, body")) {
    const row = event.target.closest(".row") ?? current();
    if (row) {
      event.preventDefault();
      location.href = row.dataset.page;
    }
    return;
  }
  if (off() && event.key !== "?") return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#list .row");
  if (row && event.target.closest(".n")) choose(row);
  const opener = event.target.closest?.("[data-opens]");
  if (opener) keysDialog();
});

document.getElementById("single-keys")?.addEventListener("change", (event) => {
  localStorage.setItem(KEYS_OFF, event.target.checked ? "0" : "1");
});

// On a phone the slip stands above the list: bring it into view when it has changed.
document.addEventListener("htmx:afterSwap", () => {
  if (innerWidth < 980) document.getElementById("aside")?.scrollIntoView({ block: "start" });
});

// What the bulk button will do: count and sum of the ticked rows.
function tally() {
  const button = document.querySelector("[data-bulk]");
  if (!button) return;
  const sums = new Map();
  const ticked = document.querySelectorAll("#list .box input:checked");
  ticked.forEach((box) => {
    sums.set(box.dataset.currency, (sums.get(box.dataset.currency) ?? 0) + Number(box.dataset.total));
  });
  const said = [...sums].map(([currency, minor]) => {
    const format = new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  });
  button.textContent = ticked.length ? `${button.dataset.bulk} ${ticked.length} ticked · ${said.join(" and ")}` : `${button.dataset.bulk} ticked…`;
}
document.addEventListener("change", tally);
tally();

document.querySelectorAll(".keys-line, .keys-button").forEach((shown) => { shown.hidden = false; });
