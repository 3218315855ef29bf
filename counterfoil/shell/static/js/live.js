// What changes while somebody looks: the rail's counts, the open list, what waits for its Undo. Asked for every few
// seconds, and not at all while nobody looks.
import { loggedOut, renew, takeBack, tell, tellLoggedOut } from "./answers.js";
import { acting, comeBack, leave, rowOf, rows, typing } from "./cursor.js";
import { hints, tally } from "./desk.js";

const EVERY = 4000;
const PATIENCE = 15_000; // ms
const top = document.querySelector("[data-pulse]");
const list = () => document.getElementById("list");
const leaving = document.getElementById("leaving");
const slip = () => document.querySelector("#aside .slip[data-version], .order-page .slip[data-version]");
const seen = (one) => `${one.dataset.order}~${one.dataset.version}`;
let fresh = [];
let asking = false;
let again = false;
let timer = 0;
let deaf = 0; // looks in a row without an answer
let out = false;

function plan(ms = EVERY) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(pulse, ms);
}

async function pulse() {
  if (asking) again = true;
  if (asking || document.hidden) return;
  asking = true;
  again = false;
  const askedAt = performance.now();
  try {
    const wanted = new URLSearchParams(list()?.dataset.keep ?? "");
    const shown = rows().map((row) => row.dataset.order);
    const queue = list()?.dataset.queue ?? leaving?.dataset.queue;
    if (queue) wanted.set("queue", queue);
    if (list()?.dataset.queue) {
      if (list().dataset.drawn) wanted.set("drawn", list().dataset.drawn);
      wanted.set("shown", rows().map(seen).join(","));
    }
    if (slip()) wanted.set("open", seen(slip()));
    const answer = await fetch(`${top.dataset.pulse}?${wanted}`, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
    if (loggedOut(answer)) {
      out = true;
      tellLoggedOut();
    } else if (answer.ok && !answer.redirected) {
      const now = await answer.json();
      if (out) out = !(await renew());
      takeBack("connection");
      deaf = 0;
      follow(now, new Set(shown), askedAt);
    }
  } catch {
    deaf += 1;
    if (deaf > 1) tell("connection", "No connection: what is shown may be old. It goes on by itself.");
  } finally {
    asking = false;
    plan(again ? 150 : EVERY);
  }
}

function follow(now, shown, askedAt) {
  for (const [code, [count, late, stands]] of Object.entries(now.rail)) {
    document.querySelectorAll(`[data-rail="${code}"]`).forEach((link) => {
      const figure = link.querySelector(".count");
      figure.firstChild.data = String(count);
      figure.classList.toggle("late", late > 0);
      figure.classList.toggle("soft", !late && !count);
      figure.querySelector(".late-words").textContent = late ? ` of them ${late} late` : "";
      const line = link.querySelector(".stands");
      line.textContent = "";
      if (late) {
        const said = document.createElement("span");
        said.className = "late";
        said.textContent = `${late} late`;
        line.append(said, stands ? " · " : "");
      }
      line.append(stands);
    });
  }
  mustLeave(now.leaving);
  if (list()?.dataset.queue) {
    const left = new Set(now.gone);
    shown.forEach((number) => {
      const row = rowOf(number);
      if (!row) return;
      if (left.has(number)) {
        leave(row);
        row.backAt = undefined;
      } else if (row.leftAt < askedAt) {
        // Done, but not yet moved on to its next queue: only what stays is back.
        row.backAt ??= askedAt;
        if (askedAt - row.backAt > 3000) comeBack(row);
      }
    });
    fresh = list().dataset.drawn ? now.new : [];
    announce(fresh.length);
    const head = document.getElementById("head");
    if (head && head.textContent !== now.head) head.textContent = now.head;
    redraw(now.changed).catch(() => {}); // the next look asks again
  }
  lookAgain(now.open);
  toasts(now);
}

// Over the list: '9 must leave by 16:30', and in red what has missed its cut-off.
function mustLeave(said) {
  if (!leaving) return;
  const texts = [...leaving.children].map((pill) => pill.lastChild.data);
  if (texts.length === said.length && texts.every((text, i) => text === said[i])) return;
  leaving.replaceChildren(...said.flatMap((text) => {
    const pill = document.createElement("span");
    const mark = document.createElement("span");
    const late = text.includes(" missed ");
    pill.className = `pill ${late ? "bad" : "warn"}`;
    mark.ariaHidden = "true";
    mark.textContent = late ? "!" : "◷";
    pill.append(mark, text);
    return [pill, " "];
  }));
}

function announce(count) {
  const button = document.getElementById("fresh");
  if (!button) return;
  button.hidden = count === 0;
  const words = `${count} new, show`;
  if (button.dataset.label === words) return;
  button.dataset.label = words;
  button.textContent = words;
  hints();
}

// A row that was changed is drawn again where it stands: its tick, its link and the cursor stay.
async function redraw(changed) {
  const wanted = Object.keys(changed).filter((number) => !rowOf(number)?.classList.contains("gone"));
  if (!wanted.length) return;
  const asked = new URLSearchParams({ queue: list().dataset.queue, shown: wanted.join(",") });
  const answer = await fetch(`${top.dataset.rows}?${asked}`);
  if (!answer.ok || answer.redirected) return;
  const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const now of drawn.querySelectorAll(".row")) {
    const row = rowOf(now.dataset.order);
    if (!row || row.classList.contains("gone")) continue;
    // Printed since the row was asked for.
    if ("printed" in row.dataset) now.querySelector("[data-unprinted]")?.remove();
    const box = row.querySelector(".box input");
    if (box) box.dataset.total = now.querySelector(".box input").dataset.total;
    [...row.children].slice(2).forEach((old) => old.remove());
    row.append(...[...now.children].slice(2).map((one) => document.adoptNode(one)));
    row.dataset.version = now.dataset.version;
  }
  tally();
}

// The slip follows what we ourselves do to its order. What another person has done is said first: whoever is about to
// press a button has read the order as it was.
const idle = () =>
  !document.querySelector("dialog[open], #aside details[open]") && !document.activeElement?.closest("#aside") &&
  [...document.querySelectorAll("#aside :is(input, textarea):not([type=hidden])")].every((one) => one.value === one.defaultValue);

function lookAgain(now) {
  const one = slip();
  // What changes while an act of ours is under way is most likely that act, and its answer draws the slip.
  if (!now || acting() || one?.dataset.order !== now.number || one.dataset.version === String(now.version)) return;
  if (!now.theirs && one.closest("#aside") && idle()) { show(one, true); return; }
  const bar = one.querySelector("[data-changed]");
  const words = now.by ? `Changed by ${now.by} ${now.at}` : "Changed meanwhile";
  bar.hidden = false;
  const said = bar.querySelector("[data-said]");
  if (said.textContent !== words) said.textContent = words;
}

function show(one, unasked = false) {
  if (!one.closest("#aside")) {
    if (location.pathname === one.dataset.own) location.reload();
    else location.assign(one.dataset.own);
    return;
  }
  const address = rowOf(one.dataset.order)?.querySelector(".n").getAttribute("href") ?? `${location.pathname}?order=${one.dataset.order}`;
  const headers = { "X-Redraw": one.dataset.order, ...(unasked && { "X-Unasked": "1" }) };
  htmx.ajax("GET", address, { source: "#aside", target: "#aside", select: "#aside > *", swap: "innerHTML", headers });
}

// Whoever has begun to type or to answer a dialog by the time it is here keeps what stands there.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig?.headers["X-Unasked"] && (acting() || !idle())) detail.shouldSwap = false;
});

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-shows]")) show(slip());
});

// Only when somebody asks for it do rows move; the cursor stays on its order, and ticks stay.
document.getElementById("fresh")?.addEventListener("click", async ({ currentTarget: button }) => {
  if (!rows().length) { location.reload(); return; }
  const came = fresh;
  const before = list();
  const on = document.querySelector("#list .row.on")?.dataset.order;
  const address = new URL(location.href);
  if (on) address.searchParams.set("order", on);
  await htmx.ajax("GET", address.pathname + address.search, { source: button, target: "#rows", select: "#rows", swap: "outerHTML" });
  if (list() === before) return;
  if (address.searchParams.has("after") && !came.some((number) => rowOf(number))) {
    // They stand before this page.
    address.searchParams.delete("after");
    location.assign(address);
    return;
  }
  button.hidden = true;
  if (!typing()) document.querySelector("#list .row.on .n")?.focus();
  tally();
});

// --- what waits for its Undo --------------------------------------------------------------------------------------------

function toasts(now) {
  const known = new Set([...document.querySelectorAll("[data-deed]")].map((one) => one.dataset.deed));
  const refused = new Set([...document.querySelectorAll("[data-refused]")].map((one) => one.dataset.refused));
  const runs = new Set([...document.querySelectorAll("[data-run]")].map((one) => one.dataset.run));
  const changed =
    Object.keys(now.going).some((id) => !known.has(id)) || [...known].some((id) => !(id in now.going)) ||
    now.refused.slice(0, 5).some((id) => !refused.has(String(id))) || [...runs].some((id) => !now.runs.includes(Number(id)));
  const focused = document.activeElement?.closest?.("#toasts");
  if (changed && !focused) htmx.ajax("GET", top.dataset.toasts, { source: "#toasts", target: "#toasts", swap: "none" });
}

setInterval(() => {
  document.querySelectorAll(".left[data-left]").forEach((one) => {
    const left = Math.max(0, Number(one.dataset.left) - 1);
    one.dataset.left = left;
    one.textContent = left ? `${left} s` : "a moment";
  });
}, 1000);

document.addEventListener("undone", (event) => {
  comeBack(rowOf(event.detail.order));
  const slip = document.querySelector("#aside .slip");
  if (slip?.dataset.order === event.detail.order) rowOf(event.detail.order)?.querySelector(".n")?.click();
  if (document.querySelector(".order-page") && location.pathname.endsWith(event.detail.order)) location.reload();
});
document.addEventListener("acted", () => plan(150));
document.addEventListener("visibilitychange", () => plan(document.hidden ? EVERY : 100));
if (top) plan(1500);
