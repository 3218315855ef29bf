// What was done goes to the shop by way of this phone's own list: it outlives a lost connection and a closed page. Each
// act has a token, and the shop does it once however often it arrives.
const KEY = "counterfoil.floor.acts";
const SENT = "counterfoil.floor.sent";
const DRAFT = "counterfoil.floor.draft";
const MOST = 300; // acts that have gone and are remembered
const place = document.getElementById("link");
const refused = document.getElementById("refused");
const user = place?.dataset.user ?? "";
const page = place?.dataset.page ?? "";
const SAID = "counterfoil.floor.said";
const waiting = new Set();
let sending = false;
let away = !navigator.onLine;
let locked = false;

const all = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");
const sent = () => JSON.parse(localStorage.getItem(SENT) ?? "[]");
const keep = (acts) => localStorage.setItem(KEY, JSON.stringify(acts));
// Another picker's acts on this phone wait until that picker is here again.
export const pending = () => all().filter((act) => act.user === user);
// What was done since the shop drew this page: a page that was kept, loaded without a connection, does not know it.
export const done = () => [...sent().filter((act) => act.page === page), ...pending()];
// What is scanned on this very page and not told yet.
export const draft = {
  read: () => {
    const kept = JSON.parse(localStorage.getItem(DRAFT) ?? "{}");
    return kept.page === page ? kept.values : {};
  },
  write: (values) => localStorage.setItem(DRAFT, JSON.stringify({ page, values })),
};
// Letters only: among hexadecimal digits there may be what looks like a card's number, which the shop takes nowhere.
export const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => String.fromCharCode(97 + (b >> 4), 97 + (b & 15))).join("");

function say() {
  if (!place) return;
  const count = pending().length;
  const acts = `${count} ${count === 1 ? "act waits" : "acts wait"} on this phone`;
  place.className = `link ${locked ? "bad" : away ? "warn" : ""}`;
  if (locked) place.textContent = `Log in again: ${acts}, nothing is lost`;
  else if (away) place.textContent = `No connection. Go on${count ? `: ${acts} and ${count === 1 ? "goes" : "go"} by ${count === 1 ? "itself" : "themselves"}` : ""}`;
  else place.textContent = count ? `Sending ${count}…` : "";
}

function tell(act, words) {
  const box = document.createElement("div");
  box.className = "say bad";
  const mark = document.createElement("span");
  mark.ariaHidden = "true";
  mark.textContent = "✕";
  const text = document.createElement("div");
  text.textContent = `${act.fields.order}${act.fields.sku ?? act.fields.broke ? `, ${act.fields.sku ?? act.fields.broke}` : ""}: not done. ${words}`;
  box.append(mark, text);
  refused?.append(box);
}

async function send(act) {
  const proof = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const body = new URLSearchParams({ ...act.fields, token: act.token, csrfmiddlewaretoken: proof });
  const answer = await fetch("/desk/floor/acts", { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(15000) });
  if (answer.type === "opaqueredirect") return "locked";
  if (!(answer.headers.get("Content-Type") ?? "").includes("json")) return answer.status === 403 ? "locked" : "later";
  if (answer.status >= 500 || answer.status === 429) return "later";
  const said = await answer.json();
  if (!said.ok) tell(act, said.said);
  else if (!sent().some((other) => other.token === act.token)) {
    localStorage.setItem(SENT, JSON.stringify([...sent(), { token: act.token, page: act.page, fields: act.fields }].slice(-MOST)));
  }
  return "done";
}

// Where the shop has refused something, what is so is seen on the page drawn anew.
export function lookAgain(place) {
  const link = document.createElement("a");
  link.className = "btn go big wide";
  link.href = location.href;
  link.textContent = "Look again";
  place.append(link);
}

export async function flush() {
  if (sending || !document.querySelector("[name=csrfmiddlewaretoken]")) return say();
  sending = true;
  try {
    for (let next = pending()[0]; next; next = pending()[0]) {
      say();
      const became = await send(next).catch(() => "later");
      away = became === "later";
      locked = became === "locked";
      if (became !== "done") break;
      keep(all().filter((act) => act.token !== next.token));
    }
  } finally {
    sending = false;
  }
  say();
  if (!pending().length) {
    waiting.forEach((call) => call());
    waiting.clear();
  }
}

export function put(fields, mark = token()) {
  keep([...all(), { token: mark, user, page, fields }]);
  flush();
}

// Call once everything has gone.
export function settled(call) {
  if (pending().length) waiting.add(call);
  else call();
}

// Whether the shop can be heard: a page that this phone kept looks like any other.
async function knock() {
  away = !await fetch("/static/img/mark.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(8000) }).then(() => true, () => false);
  say();
}

// What was done last, said on the page that follows it.
export function sayNext(words) {
  sessionStorage.setItem(SAID, words);
  history.scrollRestoration = "manual"; // it stands on top
}

function sayKept() {
  const words = sessionStorage.getItem(SAID);
  if (!words || !refused) return;
  sessionStorage.removeItem(SAID);
  const box = document.createElement("div");
  const mark = document.createElement("span");
  box.className = "say ok";
  box.role = "status";
  mark.ariaHidden = "true";
  mark.textContent = "✓";
  box.append(mark, words);
  refused.before(box);
}

sayKept();
addEventListener("online", () => { away = false; flush(); });
addEventListener("offline", () => { away = true; say(); });
setInterval(() => {
  if (pending().length) flush();
  else if (away) knock();
}, 4000);
flush();
if (navigator.serviceWorker) {
  if (navigator.serviceWorker.controller && !pending().length) knock();
  // Where it is not allowed (no https) the page cannot be loaded anew without a connection, and works as before.
  navigator.serviceWorker.register("/desk/floor/worker.js", { scope: "/desk/floor" }).catch(() => {});
}
