// Packing with verification: each unit is scanned into the box, which closes when it agrees, or says what is missing.
import { done, draft, lookAgain, put, sayNext, settled } from "./link.js";
import { focus, judge, listen, says } from "./scanner.js";
import { right, wrong } from "./tone.js";

const box = document.getElementById("box");
const items = [...document.querySelectorAll("#units .unit")].map((item) => ({
  item, units: Number(item.dataset.units), input: item.querySelector("input"), packed: 0, kin: [...item.querySelectorAll(".kin")],
}));
const agrees = document.getElementById("agrees");
const short = document.getElementById("close-short");
const fetchAnother = document.getElementById("fetch");
let broken = 0;
let shut = false;
const missing = () => items.reduce((sum, one) => sum + one.units - one.packed, 0);

function draw() {
  items.forEach((one) => {
    one.input.value = one.packed;
    one.item.classList.toggle("whole", one.packed >= one.units);
    one.item.querySelector(".of").textContent = one.packed >= one.units ? `of ${one.units} ✓` : `of ${one.units}`;
  });
  const left = missing();
  agrees.hidden = false;
  agrees.className = left ? "say warn" : "say ok";
  agrees.textContent = left ? `◔ ${left} still to scan` : "✓ The box agrees with the order";
  document.getElementById("close").textContent = left ? `Close the box: ${left} still to scan` : "Close the box";
  short.hidden = !left || left === items.reduce((sum, one) => sum + one.units, 0);
}

const note = () => draft.write(Object.fromEntries(items.map((one) => [one.item.dataset.sku, one.packed])));

function heard(scanned) {
  const one = items.find((each) => says(each.item, scanned) && each.packed < each.units) ?? items.find((each) => says(each.item, scanned));
  if (!one) {
    const near = items.find((each) => each.kin.some((kin) => says(kin, scanned))) ?? items.find((each) => each.packed < each.units) ?? items[0];
    return wrong(judge(scanned, near.item, near.kin, []));
  }
  if (one.packed >= one.units) return wrong(`One too many: only ${one.units} of ${one.item.dataset.name} (${one.item.dataset.sku}) go into this box`);
  one.packed += 1;
  note();
  right(`${one.packed} of ${one.units} · ${one.item.dataset.name}`);
  draw();
}

// A unit broke on the table: set aside, and no box closes before the shop knows what goes in its place. Another may break.
function broke(one) {
  const { order, part } = Object.fromEntries(new FormData(box));
  put({ kind: "break", order, part, broke: one.item.dataset.sku });
  right(`Noted: broken, and set aside · ${one.item.dataset.name}`);
  without(one);
  note();
}

function without(one) {
  broken += 1;
  one.units -= 1;
  one.packed = Math.min(one.packed, one.units);
  draw();
  one.item.querySelector(".broke").hidden = one.units < 1;
  for (const gone of [document.getElementById("scanner"), document.getElementById("close"), short, box.querySelector(".field")]) gone.hidden = true;
  agrees.className = "say warn";
  agrees.textContent = `⚡ ${broken} broken. Fetch ${broken === 1 ? "another" : "others"}, then pack`;
  fetchAnother.hidden = false;
  fetchAnother.focus();
}

function close() {
  const fields = Object.fromEntries([...new FormData(box)].filter(([name]) => !["token", "csrfmiddlewaretoken", "next"].includes(name)));
  put(fields);
  draft.write({});
  closed();
}

function closed() {
  shut = true;
  box.querySelectorAll("button").forEach((button) => { button.hidden = true; });
  document.getElementById("scanner").hidden = true;
  agrees.className = "say ok";
  agrees.textContent = "✓ The box is closed. Telling the shop…";
  settled(() => {
    const refused = document.getElementById("refused");
    if (refused.children.length) {
      agrees.hidden = true;
      lookAgain(refused);
    } else {
      sayNext(`The box of ${new FormData(box).get("order")} is closed.`);
      location.href = "/desk/floor";
    }
  });
}

box.addEventListener("submit", (event) => {
  event.preventDefault();
  if (shut) return;
  const left = missing();
  if (!left || event.submitter === short) return close();
  const first = items.find((one) => one.packed < one.units);
  wrong(`The box does not agree: ${first.units - first.packed} of ${first.item.dataset.name} (${first.item.dataset.sku}) not scanned yet`);
  focus();
});
document.getElementById("broken").addEventListener("submit", (event) => {
  event.preventDefault();
  broke(items.find((one) => one.item.dataset.sku === event.submitter.value));
});
items.forEach((one) => { one.input.readOnly = true; });
// What this phone has done already: what it could not tell yet, and what a kept page cannot know.
function remember() {
  const { order, part } = Object.fromEntries(new FormData(box));
  const scanned = draft.read();
  items.forEach((one) => { one.packed = Math.min(scanned[one.item.dataset.sku] ?? 0, one.units); });
  const mine = done().filter(({ fields }) => fields.order === order && fields.part === part);
  for (const { fields } of mine.filter((act) => act.fields.kind === "pack")) {
    items.forEach((one) => { one.units = Math.max(0, one.units - Number(fields[`quantity:${one.item.dataset.sku}`] ?? 0)); });
  }
  draw();
  for (const { fields } of mine.filter((act) => act.fields.kind === "break")) {
    const one = items.find((each) => each.item.dataset.sku === fields.broke && each.units > 0);
    if (one) without(one);
  }
  if (items.every((one) => !one.units) && !broken) closed();
}

listen(heard);
remember();
