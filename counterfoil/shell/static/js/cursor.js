// The list, its cursor, and the slip beside it, which always is that of the order under the cursor: what is pressed acts
// on what is seen.

export const rows = () => [...document.querySelectorAll("#list .row")];
export const current = () => document.querySelector("#list .row.on");
export const rowOf = (number) => rows().find((row) => row.dataset.order === number);
const gone = (row) => row.classList.contains("gone");
const aside = () => document.getElementById("aside");
const shown = () => aside()?.querySelector(".slip")?.dataset.order;

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

export function step(by) {
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
  if (!box) return;
  box.checked = false;
  box.disabled = true;
  box.dispatchEvent(new Event("change", { bubbles: true }));
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

// --- an act beside the list: on to the next order, without loading the page -----------------------------------------

document.addEventListener("htmx:configRequest", (event) => {
  const form = event.detail.elt;
  if (form.closest?.("#aside")) form.about = shown();
  if (!form.matches?.("form[data-on]")) return;
  const row = rowOf(form.closest(".slip")?.dataset.order);
  const next = row && following(row);
  const code = document.getElementById("list")?.dataset.queue;
  if (next) event.detail.parameters.set("next", next.querySelector(".n").getAttribute("href"));
  else if (code) event.detail.parameters.set("next", `/desk/queues/${code}?order=-`);
  form.moves = { row, next, from: current() };
});

document.addEventListener("htmx:afterRequest", (event) => {
  const moves = event.detail.requestConfig?.elt?.moves;
  if (!moves || event.detail.xhr.status !== 200) return;
  leave(moves.row, event.detail.requestConfig.elt.dataset.on || "approved");
  if (moves.next && current() === moves.from) choose(moves.next);
  letGo();
});

// While an act of ours is under way the slip is not drawn again for anything else.
let acts = 0;
export const acting = () => acts > 0;
document.addEventListener("htmx:beforeSend", (event) => { if (event.detail.requestConfig.verb === "post") acts += 1; });
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.requestConfig?.verb === "post") acts -= 1; });

// An answer may come when the cursor has moved on, and after a later one's: it is not shown then.
function late({ elt, headers }) {
  if (headers["X-Redraw"]) return shown() !== headers["X-Redraw"];
  if (elt.moves) return current() !== elt.moves.from;
  if (elt.about) return shown() !== elt.about;
  return elt.matches(".n") && elt.closest(".row") !== current();
}

let before = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "aside") return;
  before = shown();
  if (late(event.detail.requestConfig)) event.detail.shouldSwap = false;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "aside") return;
  aside().classList.remove("unasked");
  if (shown() !== before) aside().scrollTop = 0;
  // On a phone the slip stands above the list: bring it into view when it has changed.
  if (innerWidth < 980 && !event.detail.requestConfig?.headers["X-Redraw"]) aside().scrollIntoView({ block: "start" });
});

// --- a key that is faster than the slip -------------------------------------------------------------------------------

const PATIENCE = 4000; // ms
let held = null;

// Whether the cursor has moved on and its slip is still to come.
export const behind = () => {
  const row = current();
  return Boolean(row && aside() && !gone(row) && shown() !== row.dataset.order);
};

// Press at once what stands outside the slip; what is in it, or may come with it, when it is the slip of the cursor's row.
export function once(one, press) {
  held = behind() && !(one && !one.closest("#aside")) ? { press, at: performance.now(), row: current() } : null;
  if (!held) press();
}

// Not before the new slip's forms are htmx's own.
document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target.id === "aside") letGo(); });

function letGo() {
  if (!held || behind()) return;
  const { press, at, row } = held;
  held = null;
  if (row === current() && performance.now() - at < PATIENCE) press();
}
