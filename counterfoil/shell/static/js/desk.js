// The desk by keyboard. j k move, x ticks, Enter opens; every other key is that of a button: `data-key` says which.
// Everything here is also a link, a tick box or a button: without this file the desk works as well.
const KEYS_OFF = "counterfoil.single-keys-off";
export const off = () => localStorage.getItem(KEYS_OFF) === "1";
const byId = (id) => document.getElementById(id);

// --- the list and its cursor ---------------------------------------------------------------------------------------

const rows = () => [...document.querySelectorAll("#list .row")];
const current = () => document.querySelector("#list .row.on");
const gone = (row) => row.classList.contains("gone");
export const rowOf = (number) => rows().find((row) => row.dataset.order === number);

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

// The next order that is still there: below, else above.
function following(row) {
  const all = rows();
  const at = all.indexOf(row);
  return all.slice(at + 1).find((other) => !gone(other)) ?? all.slice(0, Math.max(0, at)).find((other) => !gone(other));
}

// A row whose order has left stays where it is, and says so: nothing moves under the cursor.
export function leave(row, words = "moved on") {
  if (!row || gone(row)) return;
  row.classList.add("gone");
  row.leftAt = performance.now();
  row.backAt = undefined;
  const pill = row.querySelector(".pill");
  row.dataset.pill = pill.innerHTML;
  pill.textContent = `→ ${words}`;
  const box = row.querySelector(".box input");
  if (box) { box.checked = false; box.disabled = true; tally(); }
}

export function comeBack(row) {
  if (!row || !gone(row)) return;
  row.classList.remove("gone");
  row.querySelector(".pill").innerHTML = row.dataset.pill;
  const box = row.querySelector(".box input");
  if (box) box.disabled = false;
}

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("#list .row");
  if (row && event.target.closest(".n")) choose(row);
});

// On a phone the slip stands above the list: bring it into view when it has changed.
document.addEventListener("htmx:afterSwap", (event) => {
  if (innerWidth < 980 && event.detail.target.id === "aside" && !event.detail.requestConfig?.headers["X-Redraw"]) byId("aside")?.scrollIntoView({ block: "start" });
});

// --- an act beside the list: on to the next order, without loading the page -----------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches?.("form[data-on]")) return;
  const row = rowOf(form.closest(".slip")?.dataset.order);
  const next = row && following(row);
  const code = byId("list")?.dataset.queue;
  if (next) event.detail.parameters.set("next", next.querySelector(".n").getAttribute("href"));
  else if (code) event.detail.parameters.set("next", `/desk/queues/${code}?order=-`);
  form.moves = { row, next };
});

document.addEventListener("htmx:afterRequest", (event) => {
  const moves = event.detail.requestConfig?.elt?.moves;
  if (!moves) return;
  if (event.detail.xhr.status === 200) {
    leave(moves.row, event.detail.requestConfig.elt.dataset.on || "approved");
    if (moves.next) choose(moves.next);
  }
});

// Printed: the row says so no more, and the button counts what is left. The paper opens beside.
document.addEventListener("submit", (event) => {
  const which = event.target.dataset?.prints;
  if (!which) return;
  const marks = [...(which === "all" ? document : rowOf(which))?.querySelectorAll("[data-unprinted]") ?? []];
  marks.forEach((mark) => mark.remove());
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
  yes.onclick = () => { byId("sure").close(); button.click(); };
  byId("sure").showModal();
}

// The ticked rows: the page that names count and sums, as a dialog.
async function askAbout(button) {
  const form = button.form;
  const sent = new URLSearchParams(new FormData(form));
  sent.set(button.name, button.value);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: sent });
  } catch {
    form.requestSubmit(button);
    return;
  }
  const asked = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("asked");
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
  if (!one) return undefined;
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
  d: () => reveal(document.querySelector("[data-next] [name=ship_estimate]")?.closest(".field")),
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
  if (event.key === "a" && !shownOne("a") && !bulkOne("a")) {
    if (reveal(document.querySelector("[data-next]"))) event.preventDefault();
    return;
  }
  if (shownOne(event.key) || bulkOne(event.key)) {
    event.preventDefault();
    press(event.key);
  }
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
