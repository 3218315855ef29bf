// Tax and delivery follow the address while it is typed. Without this file the button "Work out tax and delivery" does it.
const form = document.querySelector(".till");
const watched = ["shipping_address.country", "shipping_address.state", "shipping_address.postcode", "shipping_method", "needed_by"];
const summary = document.getElementById("summary");
let asked = 0;

async function workOut() {
  const mine = ++asked;
  const body = new FormData(form);
  body.set("work_out", "yes");
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("summary");
    // Whoever leaves a field by pressing the button is pressing it still: it is not drawn away under the pointer.
    while (summary.querySelector(":active")) await new Promise((on) => { setTimeout(on, 50); });
    if (fresh && mine === asked && !form.dataset.sent) draw(fresh);
  } catch {
    // Away for a moment: placing the order works the sums out again anyway.
  }
}

// The keyboard stays where it is, and the terms stay open.
function draw(fresh) {
  const places = "button, a, summary";
  const at = [...summary.querySelectorAll(places)].indexOf(document.activeElement);
  const open = summary.querySelector("details")?.open;
  summary.replaceChildren(...fresh.childNodes);
  if (open) summary.querySelector("details")?.setAttribute("open", "");
  summary.querySelectorAll(places)[at]?.focus({ preventScroll: true });
}

form?.addEventListener("change", (event) => {
  if (watched.includes(event.target.name)) workOut();
});

// Somebody who opens the second address means to use it.
form?.querySelector(".bill")?.addEventListener("toggle", (event) => {
  form.elements.other_billing.checked = event.target.open;
});
