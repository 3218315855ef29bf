// The desk by keyboard. j k move, x ticks, Enter opens; every other key is that of a button: `data-key` says which.
// Everything here is also a link, a tick box or a button: without this file the desk works as well.
import { loggedOut, tell, tellLoggedOut } from "./answers.js";
import { behind, current, once, rowOf, step } from "./cursor.js";

const KEYS_OFF = "counterfoil.single-keys-off";
export const off = () => localStorage.getItem(KEYS_OFF) === "1";
const byId = (id) => document.getElementById(id);

// --- paper --------------------------------------------------------------------------------------------------------------

// Printed: the row says so no more, and the button counts what is left. The paper opens beside.
document.addEventListener("submit", (event) => {
  const which = event.target.dataset?.prints;
  if (!which) return;
  const marks = [...(which === "all" ? document : rowOf(which))?.querySelectorAll("[data-unprinted]") ?? []];
  marks.forEach((mark) => {
    mark.closest(".row")?.setAttribute("data-printed", "");
    mark.remove();
  });
  const all = document.querySelector('[data-prints="all"] [data-left]');
  if (!all) return;
  all.dataset.left = which === "all" ? 0 : Number(all.dataset.left) - marks.length;
  delete all.dataset.label;
  all.textContent = all.dataset.left > 0 ? `Print ${all.dataset.left} not printed` : "All are printed";
  hints();
});

// --- dialogs ------------------------------------------------------------------------------------------------------------

function opens(id) {
  const dialog = byId(id);
  if (!dialog?.showModal || dialog.open) return false;
  if (id === "keys") dialog.querySelector("#single-keys").checked = !off();
  dialog.showModal();
  dialog.dispatchEvent(new Event("opens"));
  return true;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  if (opener && opens(opener.dataset.opens)) event.preventDefault();
  const closer = event.target.closest?.("dialog [data-closes]");
  if (closer) { event.preventDefault(); closer.closest("dialog").close(); }
});

// Money is never moved by one key: the key asks, and Enter answers.
function askFirst(button) {
  const slip = button.closest(".slip");
  byId("sure-title").textContent = button.dataset.label ?? button.textContent.trim();
  const said = slip?.querySelector(".stub").innerText.split(/\s*\n\s*/) ?? [];
  byId("sure-what").textContent = said.filter((one) => /[\p{L}\d]/u.test(one)).join(" · ");
  const yes = byId("sure-yes");
  yes.textContent = byId("sure-title").textContent;
  yes.onclick = () => {
    byId("sure").close();
    if (button.isConnected) button.click();
    else tell("act", "Not done: the order was changed meanwhile. Look at it again.");
  };
  byId("sure").showModal();
}

// The ticked rows: the page that names count and sums, as a dialog. Pressed again, the last answer counts.
let asks = 0;
async function askAbout(button) {
  const mine = ++asks;
  const sent = new URLSearchParams(new FormData(button.form));
  sent.set(button.name, button.value);
  const answer = await fetch(button.form.action, { method: "POST", body: sent }).catch(() => null);
  const asked = new DOMParser().parseFromString(await answer?.text() ?? "", "text/html").getElementById("asked");
  if (mine !== asks || document.querySelector("dialog[open]")) return;
  if (!answer) { tell("act", "No answer from the shop: nothing was done. Your ticks stay."); return; }
  if (loggedOut(answer)) { tellLoggedOut(); return; }
  if (!answer.ok && !asked) { tell("act", `The shop could not do this (${answer.status}): nothing was done.`); return; }
  if (!asked) { location.reload(); return; }
  const dialog = byId("asks");
  dialog.replaceChildren(document.adoptNode(asked));
  dialog.showModal();
  (dialog.querySelector("[name=reason]") ?? dialog.querySelector("button.go"))?.focus();
}

// --- keys -----------------------------------------------------------------------------------------------------------

const ticked = () => document.querySelectorAll("#list .box input:checked");
const shownOne = (key) => [...document.querySelectorAll(`[data-key="${key}"]`)].find((one) => one.checkVisibility() && !one.closest("dialog"));

function reveal(place) {
  if (!place) return false;
  if (place instanceof HTMLDetailsElement) place.open = true;
  const field = place.querySelector("input:not([type=hidden], [type=checkbox], [type=radio]), textarea, select") ?? place.querySelector("button, a") ?? (place.matches("button, a") ? place : null);
  place.scrollIntoView({ block: "nearest" });
  field?.focus();
  return Boolean(field);
}

// With rows ticked a key that the bulk buttons know acts on those, and asks first.
const bulkOne = (key) => ticked().length ? document.querySelector(`[data-bulk-key="${key}"]`) : null;

function press(key) {
  const bulk = bulkOne(key);
  if (bulk) return askAbout(bulk);
  const one = shownOne(key);
  if (!one) return key === "a" ? reveal(document.querySelector("[data-next]")) : undefined;
  return use(one);
}

// What a button's key does: money is asked first, a form that wants words is gone to, else it is pressed.
export function use(one) {
  if ("money" in one.dataset) return askFirst(one);
  if ("goes" in one.dataset) return reveal(one.dataset.goes ? byId(one.dataset.goes) : one);
  return one.click();
}

const own = {
  j: () => step(1),
  k: () => step(-1),
  x: () => current()?.querySelector(".box input")?.click(),
  X: () => {
    const boxes = [...document.querySelectorAll("#list .box input:not(:disabled)")];
    const all = boxes.some((box) => !box.checked);
    boxes.forEach((box) => { box.checked = all; });
    tally();
  },
  d: () => once(null, () => reveal(document.querySelector("[data-next] [name=ship_estimate]")?.closest(".field"))),
  f: () => reveal(byId("filter")),
  "/": () => byId("find")?.focus(),
  "?": () => opens("keys"),
};

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    opens("palette");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && event.target.matches?.("input, textarea, select") && !event.target.closest("dialog, .tel")) {
    event.target.blur();
    return current()?.querySelector(".n").focus({ preventScroll: true });
  }
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
  // A key that is held down moves the cursor, and does nothing else twice.
  if (event.repeat && event.key !== "j" && event.key !== "k") {
    if (/^([a-zA-Z0-9]|Enter)$/.test(event.key)) event.preventDefault();
    return;
  }
  if (event.key === "Enter" && event.target.matches?.("#list .n, body")) {
    const row = event.target.closest(".row") ?? current();
    if (row) {
      event.preventDefault();
      location.href = row.dataset.page;
    }
    return;
  }
  if (off() && event.key !== "?") return;
  if (own[event.key]) {
    event.preventDefault();
    own[event.key]();
    return;
  }
  if (!/^[a-zA-Z0-9]$/.test(event.key)) return;
  const one = bulkOne(event.key) ?? shownOne(event.key);
  const next = event.key === "a" && document.querySelector("[data-next]");
  if (one || next || behind()) event.preventDefault();
  once(one, () => press(event.key));
});

// Each button says which key is its own, unless keys are off.
export function hints() {
  document.querySelectorAll("[data-key]").forEach((one) => {
    one.querySelector(":scope > .hint")?.remove();
    one.removeAttribute("aria-keyshortcuts");
    if (off()) return;
    one.setAttribute("aria-keyshortcuts", one.dataset.key);
    if (!one.matches("button, a, summary")) return;
    one.dataset.label ??= one.textContent.trim();
    one.append(hint(one.dataset.key));
  });
}

function hint(key) {
  const kbd = document.createElement("kbd");
  kbd.className = "hint";
  kbd.setAttribute("aria-hidden", "true");
  kbd.textContent = key;
  return kbd;
}

byId("single-keys")?.addEventListener("change", (event) => {
  localStorage.setItem(KEYS_OFF, event.target.checked ? "0" : "1");
  hints();
  tally();
});
document.addEventListener("htmx:load", hints);
document.addEventListener("htmx:oobAfterSwap", hints);
hints();

// What the bulk buttons will do: count and sum of the ticked rows.
export function tally() {
  const sums = new Map();
  const boxes = ticked();
  boxes.forEach((box) => {
    sums.set(box.dataset.currency, (sums.get(box.dataset.currency) ?? 0) + Number(box.dataset.total));
  });
  const said = [...sums].map(([currency, minor]) => {
    const format = new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  });
  document.querySelectorAll("[data-bulk]").forEach((button) => {
    const sum = button.dataset.bulkKey === "r" ? "" : ` · ${said.join(" and ")}`;
    button.textContent = boxes.length ? `${button.dataset.bulk} ${boxes.length} ticked${sum}` : `${button.dataset.bulk} ticked…`;
    button.toggleAttribute("aria-keyshortcuts", false);
    if (off() || !boxes.length) return;
    button.setAttribute("aria-keyshortcuts", button.dataset.bulkKey);
    button.append(hint(button.dataset.bulkKey));
  });
}
document.addEventListener("change", tally);
tally();

// A link to a form that is folded up opens it. Going to the place of an address the browser drops the focus, in a frame
// of its own around the load: the field has it again once that is over.
if (location.hash.length > 1) {
  const aim = byId(decodeURIComponent(location.hash.slice(1)));
  const again = () => { if (document.activeElement === document.body) reveal(aim); };
  if (aim instanceof HTMLDetailsElement) {
    reveal(aim);
    addEventListener("load", () => requestAnimationFrame(() => requestAnimationFrame(again)));
  }
}

document.querySelectorAll(".keys-line, .keys-button, .palette-button").forEach((shown) => { shown.hidden = false; });
