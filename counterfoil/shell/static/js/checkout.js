// Tax and delivery follow the address while it is typed. Without this file the button "Work out tax and delivery" does it.
const form = document.querySelector(".till");
const watched = ["shipping_address.country", "shipping_address.state", "shipping_address.postcode", "shipping_method", "needed_by"];
let asked = 0;

async function workOut() {
  const mine = ++asked;
  const body = new FormData(form);
  body.set("work_out", "yes");
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    if (!answer.ok || mine !== asked) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("summary");
    if (fresh) document.getElementById("summary").replaceChildren(...fresh.childNodes);
  } catch {
    // Away for a moment: placing the order works the sums out again anyway.
  }
}

form?.addEventListener("change", (event) => {
  if (watched.includes(event.target.name)) workOut();
});

// Somebody who opens the second address means to use it.
form?.querySelector(".bill")?.addEventListener("toggle", (event) => {
  form.elements.other_billing.checked = event.target.open;
});
