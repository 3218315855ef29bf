// Picking: one stop at a time. Without this module every stop is on the page with a form of its own.
import { done, draft, flush, lookAgain, pending, put, sayNext, settled } from "./link.js";
import { focus, judge, listen, says } from "./scanner.js";
import { right, wrong } from "./tone.js";

const walk = document.getElementById("walk");
const stops = walk ? [...walk.querySelectorAll(".stop")].map((item) => ({
  item, form: item.querySelector("form"), units: Number(item.dataset.units), got: 0, done: false,
  kin: [...item.querySelectorAll(".kin")],
})) : [];
const progress = document.getElementById("progress");
let here = 0;
let noted = "";

// What this phone has done already: what it could not tell yet, and what a kept page cannot know.
function remember() {
  for (const { fields } of done()) {
    if (fields.kind !== "pick") continue;
    const same = stops.find((s) => !s.done && s.item.dataset.order === fields.order && s.item.dataset.sku === fields.sku && s.item.dataset.bin === fields.bin && s.item.dataset.lot === fields.lot);
    if (!same) continue;
    same.units -= fields.do === "broken" ? Number(fields.got) + 1 : Number(fields.units);
    if (same.units <= 0) same.done = true;
  }
  const scanned = draft.read();
  stops.forEach((stop, n) => { if (!stop.done) stop.got = Math.min(scanned[n] ?? 0, stop.units - 1); });
}

function draw() {
  here = stops.findIndex((s) => !s.done);
  stops.forEach((s, n) => { s.item.hidden = n !== here; });
  document.getElementById("scanner").hidden = here < 0;
  if (here < 0) return finish();
  const stop = stops[here];
  const left = stop.units - stop.got;
  progress.textContent = `Stop ${here + 1} of ${stops.length}`;
  stop.item.querySelector(".count").textContent = stop.got ? `${left} more of ${stop.units} ×` : `${stop.units} ×`;
  stop.item.querySelector("[data-all]").textContent = left > 1 ? `All ${left} in hand` : "It is in hand";
  focus();
}

function act(what) {
  const stop = stops[here];
  const { order, part, sku, bin, lot } = stop.item.dataset;
  const fields = { kind: "pick", order, part, sku, bin, lot, units: stop.units, got: stop.got, do: what };
  if (what === "broken") {
    fields.got = Math.min(stop.got, stop.units - 1);
    stop.units -= fields.got + 1;
    stop.got = 0;
  } else {
    stop.units = 0;
  }
  stop.done = stop.units <= 0;
  draft.write({ ...draft.read(), [here]: 0 });
  put(fields);
  draw();
}

const SAID = { got: "In hand", short: "Noted: not there. It is set aside and counted", broken: "Noted: broken, and set aside", wrong: "Noted: another wine lies there" };

function heard(scanned) {
  const stop = stops[here];
  if (!stop) return;
  if (!says(stop.item, scanned)) return wrong(judge(scanned, stop.item, stop.kin, stops.map((s) => s.item)));
  stop.got += 1;
  right(`${stop.got} of ${stop.units} · ${stop.item.dataset.name}`);
  draft.write({ ...draft.read(), [here]: stop.got });
  if (stop.got >= stop.units) act("got");
  else draw();
}

function finish() {
  document.getElementById("done").hidden = false;
  progress.textContent = "All stops done";
  progress.focus();
  const words = document.getElementById("done-words");
  if (pending().length) words.textContent = "Waiting for the connection; what was done goes by itself.";
  // The shop knows what is left: another lot for what was short, or the orders to pack.
  settled(() => {
    if (document.getElementById("refused").children.length) {
      words.textContent = "See above what was not done.";
      lookAgain(document.getElementById("refused"));
    } else {
      sayNext(noted);
      location.reload();
    }
  });
  flush();
}

if (stops.length) {
  document.body.classList.add("walking");
  stops.forEach((stop) => {
    stop.form.querySelector(".by-hand").remove();
    stop.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const what = event.submitter?.value ?? "got";
      if (what !== "got") noted = `${SAID[what]}.`;
      act(what);
      right(SAID[what]);
    });
  });
  remember();
  listen(heard);
  draw();
}
