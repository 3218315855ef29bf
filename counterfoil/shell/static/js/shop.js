// What is ticked narrows the wines at once, and the keyboard stays where it is. Without this file the button does it.
const form = document.querySelector("form.narrow");
let asked = 0;

async function narrow() {
  const mine = ++asked;
  const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${form.getAttribute("action")}?${wanted}`;
  const place = document.getElementById(form.dataset.finds);
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    while (place.querySelector(":active")) await new Promise((on) => { setTimeout(on, 50); }); // a wine is being pressed
    if (mine !== asked) return;
    place.replaceChildren(...page.getElementById(place.id).childNodes);
    count(page);
    history.replaceState(null, "", address);
  } catch {
    if (mine === asked) location.href = address; // the browser says better what is wrong
  } finally {
    if (mine === asked) place.removeAttribute("aria-busy");
  }
}

// How many finds each tick would leave now; what would leave none says so.
function count(page) {
  const fresh = new Map();
  page.querySelectorAll("form.narrow input[type=checkbox]").forEach((box) => {
    fresh.set(`${box.name}=${box.value}`, box.closest("label").querySelector(".count")?.textContent);
  });
  form.querySelectorAll("input[type=checkbox]").forEach((box) => {
    const shown = box.closest("label").querySelector(".count");
    if (shown) shown.textContent = fresh.get(`${box.name}=${box.value}`) ?? "0";
  });
}

form?.addEventListener("change", narrow);
