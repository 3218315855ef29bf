// The list, its cursor, and the slip beside it, which always is that of the order under the cursor: what is pressed acts
// on what is seen.
import { loggedOut, tell } from "./answers.js";

export const rows = () => [...document.querySelectorAll("#list .row")];
export const current = () => document.querySelector("#list .row.on");
const at = () => current()?.dataset.order;
export const rowOf = (number) => rows().find((row) => row.dataset.order === number);
const gone = (row) => row.classList.contains("gone");
const aside = () => document.getElementById("aside");
const shown = () => aside()?.querySelector(".slip")?.dataset.order;

// Whoever types elsewhere goes on typing: the next letters would be keys of the desk.
export const typing = () => Boolean(document.activeElement?.matches("input:not([type=checkbox], [type=radio]), textarea, select"));

function choose(row) {
  if (!row) return;
  const link = row.querySelector(".n");
  rows().forEach((other) => {
    other.classList.toggle("on", other === row);
    other.querySelector(".n").removeAttribute("aria-current");
  });
  link.setAttribute("aria-current", "true");
  // In the slip nobody types any more: where a field was left, htmx puts the focus into the next slip's.
  if (!typing() || aside()?.contains(document.activeElement)) link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

let waiting = 0;
function show(row) {
  choose(row);
  // The slip follows the cursor once it rests: holding j down does not ask for every slip on the way.
  clearTimeout(waiting);
  waiting = setTimeout(() => { if (row === current()) row?.querySelector(".n[hx-get]")?.click(); }, 90);
}

export function step(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.indexOf(current());
  show(all[Math.min(all.length - 1, Math.max(0, here + by))]);
}

// The next order that is still there: below, else above.
function following(row) {
  const all = rows();
  const here = all.indexOf(row);
  return all.slice(here + 1).find((other) => !gone(other)) ?? all.slice(0, Math.max(0, here)).find((other) => !gone(other));
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
  form.moves = { order: row?.dataset.order, next: next?.dataset.order, from: at() };
});

// While an act of ours is under way the slip is not drawn again for anything else.
let acts = 0;
const going = new Map(); // orders on whose act an answer is to come, and whether it has been taken back meanwhile
export const acting = () => acts > 0;
document.addEventListener("htmx:beforeSend", ({ detail: { xhr, requestConfig } }) => {
  if (requestConfig.verb !== "post") return;
  const { moves, dataset } = requestConfig.elt;
  acts += 1;
  if (moves) going.set(moves.order, false);
  xhr.addEventListener("loadend", () => {
    acts -= 1;
    if (moves && xhr.status === 200 && !loggedOut(xhr)) done(moves, dataset.on);
    if (moves) going.delete(moves.order);
    document.dispatchEvent(new Event("acted"));
  });
});

function done(moves, words) {
  if (going.get(moves.order)) return;
  leave(rowOf(moves.order), words || "approved");
  if (moves.next && at() === moves.from) choose(rowOf(moves.next));
  letGo();
}

document.addEventListener("undone", ({ detail: { order } }) => { if (going.has(order)) going.set(order, true); });

// An answer may come when the cursor has moved on, and after a later one's: it is not shown then.
function late({ elt, headers }) {
  if (headers["X-Redraw"]) return shown() !== headers["X-Redraw"];
  if (elt.moves) return at() !== elt.moves.from || Boolean(going.get(elt.moves.order));
  if (elt.about) return shown() !== elt.about;
  return elt.matches(".n") && elt.closest(".row")?.dataset.order !== at();
}

// That it was not done is said all the same.
function tellLate({ elt }, xhr) {
  if (xhr.status < 400 && xhr.status !== 202) return;
  const why = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelectorAll("[role=alert] > div > *, .wrong");
  const words = [...why].map((one) => one.textContent.trim()).join(". ");
  const order = elt.moves?.order ?? elt.about;
  tell(`late-${order}`, `${order}: ${words || "not done. Look at it again"}`);
}

let before = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "aside") return;
  before = shown();
  if (!event.detail.shouldSwap || !late(event.detail.requestConfig)) return;
  event.detail.shouldSwap = false;
  tellLate(event.detail.requestConfig, event.detail.xhr);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "aside") return;
  aside().classList.remove("unasked");
  if (shown() !== before) aside().scrollTop = 0;
  // On a phone the slip stands above the list: bring it into view when it has changed.
  if (innerWidth < 980 && !event.detail.requestConfig?.headers["X-Redraw"]) aside().scrollIntoView({ block: "start" });
});

// Rows that are drawn anew: cursor and ticks are where they are by then, not where they were when the rows were asked for.
let kept = null;
document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (target.id !== "rows") return;
  kept = { on: at(), ticked: new Set([...document.querySelectorAll("#list .box input:checked")].map((box) => box.value)) };
});
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id !== "rows" || !kept) return;
  document.querySelectorAll("#list .box input").forEach((box) => { box.checked = kept.ticked.has(box.value); });
  if (rowOf(kept.on)) choose(rowOf(kept.on));
  kept = null;
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
  held = behind() && !(one && !one.closest("#aside")) ? { press, since: performance.now(), row: current() } : null;
  if (!held) press();
}

// Not before the new slip's forms are htmx's own.
document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target.id === "aside") letGo(); });

function letGo() {
  if (!held || behind()) return;
  const { press, since, row } = held;
  held = null;
  if (row === current() && performance.now() - since < PATIENCE) press();
}
