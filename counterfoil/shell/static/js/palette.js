// Ctrl-K: queues, pages, the acts of the order that is open, and orders by a few letters. A combobox over a list.
import { tell } from "./answers.js";
import { behind } from "./cursor.js";
import { use } from "./desk.js";

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-find");
const box = document.getElementById("palette-list");
const none = dialog?.querySelector(".palette-none");
let entries = [];
let at = 0;
let asked = 0;
let hurried = 0; // Enter was pressed before there was anything: what is found first is taken

const seen = (one) => one.checkVisibility() || one.closest(".rail");

// What the page offers already: where its rail leads, and what the buttons of the present order do.
function known() {
  const found = [...document.querySelectorAll("nav.rail a")].map((link) => ({
    text: link.querySelector("b").textContent, more: link.title || "page", go: () => { location.href = link.href; },
  }));
  document.querySelectorAll("[data-key]").forEach((one) => {
    if (one.closest("dialog, #toasts") || !seen(one) || (one.closest("#aside") && behind())) return;
    const text = one.dataset.label ?? one.textContent.trim();
    if (!one.matches("button, a, summary") || !text) return;
    const press = () => (one.isConnected ? use(one) : tell("act", `“${text}” was not done: the slip was drawn anew meanwhile. Look at it again.`));
    found.unshift({ text, more: `this order · ${one.dataset.key}`, go: press });
  });
  return found;
}

function draw() {
  box.replaceChildren(...entries.map((entry, i) => {
    const option = document.createElement("li");
    option.id = `palette-${i}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(i === at));
    const text = document.createElement("span");
    text.textContent = entry.text;
    const more = document.createElement("small");
    more.textContent = entry.more;
    option.append(text, more);
    option.addEventListener("click", () => go(i));
    return option;
  }));
  none.hidden = entries.length > 0;
  input.setAttribute("aria-expanded", String(entries.length > 0));
  if (entries.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
  else input.removeAttribute("aria-activedescendant");
  box.children[at]?.scrollIntoView({ block: "nearest" });
}

function go(i) {
  const entry = entries[i];
  if (!entry) return;
  dialog.close();
  entry.go();
}

async function look() {
  const words = input.value.trim().toLowerCase();
  const mine = ++asked;
  at = 0;
  entries = known().filter((entry) => words.split(/\s+/).every((word) => entry.text.toLowerCase().includes(word))).slice(0, words ? 8 : 40);
  draw();
  if (words.length < 2) return;
  await new Promise((wake) => setTimeout(wake, 120));
  if (mine !== asked) return;
  try {
    const answer = await fetch(`${input.dataset.address}?${new URLSearchParams({ q: input.value })}`);
    const { found } = await answer.json();
    if (mine !== asked) return;
    entries = [...entries, ...found.map((one) => ({ ...one, go: () => { location.href = one.href; } }))];
    draw();
    if (hurried === mine && dialog.open) go(0);
  } catch {
    // What the page knows is there all the same.
  }
}

dialog?.addEventListener("opens", () => {
  input.value = "";
  look();
  input.focus();
});
input?.addEventListener("input", look);
input?.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by && entries.length) {
    event.preventDefault();
    at = (at + by + entries.length) % entries.length;
    draw();
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (entries.length) go(at);
    else hurried = asked;
  }
});
dialog?.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
