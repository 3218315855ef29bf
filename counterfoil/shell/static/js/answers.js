// What the shop did not answer, or not as it should, is said, and nothing that stands on the page is lost for it.
const box = () => document.getElementById("unheard");
const LOGIN = "/desk/login";
export const loggedOut = (answer) => new URL(answer.responseURL || answer.url, location.href).pathname === LOGIN;

// One thing is said once: `what` it is about takes the place of what was said of it before.
export function tell(what, words, link = null) {
  const said = document.createElement("div");
  said.className = "toast bad";
  said.dataset.about = what;
  const mark = document.createElement("span");
  mark.ariaHidden = "true";
  mark.textContent = "✕";
  const text = document.createElement("span");
  text.className = "grow";
  text.textContent = words;
  const seen = document.createElement("button");
  seen.className = "btn";
  seen.type = "button";
  seen.textContent = "Seen";
  seen.addEventListener("click", () => said.remove());
  said.append(mark, text, ...(link ? [link] : []), seen);
  const before = find(what);
  if (before?.querySelector(".grow").textContent === words) return;
  if (before) before.replaceWith(said);
  else box()?.append(said);
}
const find = (what) => box()?.querySelector(`[data-about="${CSS.escape(what)}"]`);
export const takeBack = (what) => find(what)?.remove();

export function tellLoggedOut(also = "") {
  if (!also && find("login")) return;
  const link = document.createElement("a");
  link.className = "btn";
  link.href = `${LOGIN}?${new URLSearchParams({ next: location.pathname + location.search })}`;
  link.target = "_blank";
  link.textContent = "Log in";
  tell("login", `You are logged out${also}. Log in beside this page, then go on here: what you have typed stays.`, link);
}

// Logged in again, the page's forms want a fresh proof that they come from here.
export async function renew() {
  const answer = await fetch(location.href).catch(() => null);
  if (answer && loggedOut(answer)) {
    takeBack("act");
    tellLoggedOut();
  }
  if (!answer?.ok || loggedOut(answer)) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[name=csrfmiddlewaretoken]");
  document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((one) => { one.value = fresh?.value ?? one.value; });
  takeBack("login");
  return true;
}

// Whether the page has asked, and not a person.
const unasked = (asked) => asked.verb === "get" && !asked.triggeringEvent;
const acts = (asked) => asked.verb === "post" && asked.elt.matches?.("form.act-form[action*='/acts/'], form[action*='/deeds/']");

// No page of the one that was asked for: a log-in, or a refusal of our own door.
const strange = (xhr, target) => xhr.status < 500 && xhr.status !== 204 && Boolean(target?.id) && !xhr.responseText.includes(`id="${target.id}"`);

function heard(xhr, asked) {
  takeBack("connection");
  if (loggedOut(xhr)) return tellLoggedOut(acts(asked) ? ", and this was not done" : "");
  if (unasked(asked)) return undefined;
  if (xhr.status === 403 && strange(xhr, asked.target)) {
    tell("act", "Not done: this page is too old. Load it again.");
    return renew().then((done) => { if (done) tell("act", "Not done: this page was too old. It is in order now; press once more."); });
  }
  if (xhr.status < 400 && strange(xhr, asked.target)) return tell("act", "The shop answered with another page. Load this one again.");
  if (xhr.status < 400 || [402, 403, 409, 422].includes(xhr.status)) return undefined;
  if (xhr.status === 429) return tell("act", "Too many at once: not done. Wait a moment, then press once more.");
  return tell("act", `The shop could not do this (${xhr.status}). ${acts(asked) ? "Look at the order before you do it again." : "Try once more."}`);
}

function unheard(asked) {
  if (unasked(asked)) return;
  const what = acts(asked) ? "No answer from the shop. Whether this was done is not known: look at the order before you do it again."
    : asked.verb === "get" ? "No answer from the shop: what is shown is not what you asked for."
      : "No answer from the shop: what was worked out here may be old. What you have typed stays.";
  tell(acts(asked) ? "act" : "connection", what);
}

// By the request itself: the form that sent it may be gone from the page by now, and its events reach nobody.
document.addEventListener("htmx:beforeSend", ({ detail: { xhr, requestConfig } }) => {
  xhr.addEventListener("load", () => heard(xhr, requestConfig));
  ["error", "timeout"].forEach((end) => xhr.addEventListener(end, () => unheard(requestConfig)));
});

const plain = (one) => one?.textContent.replace(/\s+/g, " ").trim();

// What the page draws anew by itself is not taken away under a finger that holds it down, and not redrawn as it was.
function keeps({ target, xhr, requestConfig }) {
  if (!unasked(requestConfig)) return false;
  if (target.querySelector(":active")) return true;
  if (!target.hasAttribute("hx-trigger")) return false;
  return plain(new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById(target.id)) === plain(target);
}

let here = false; // whether the focus is in what is drawn anew
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  here = target.contains(document.activeElement);
  if (loggedOut(xhr) || strange(xhr, target) || keeps(event.detail)) event.detail.shouldSwap = false;
});

// A run that is done: the first thing to mend has the focus, as on a page that was loaded; else whoever stood in it goes on.
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id !== "run" || document.activeElement !== document.body) return;
  (document.querySelector("#run [aria-invalid=true]") ?? (here ? document.querySelector("#run a.go") : null))?.focus();
});
