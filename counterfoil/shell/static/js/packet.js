// After a charge the packet is printed: it opens beside, as with `p`. A browser lets a window open only for a moment
// after a key or a click; later the button stays, and has the focus.
import { typing } from "./cursor.js";

function print(place) {
  const form = place.querySelector?.("form[data-packet]:not([data-begun])");
  if (!form) return;
  form.dataset.begun = "";
  const button = form.querySelector("button");
  if (navigator.userActivation?.isActive) form.requestSubmit(button);
  else if (!typing()) button.focus();
}

document.addEventListener("htmx:load", (event) => print(event.detail.elt.parentElement ?? document));
print(document);
