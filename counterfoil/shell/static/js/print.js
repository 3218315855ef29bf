// The print queue: a paper opens in a window of its own; this one follows as soon as it has been printed.
let asking = 0;

async function look(newest, wait) {
  let fresh;
  try {
    const answer = await fetch(location.href);
    if (answer.ok && !answer.redirected) fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  } catch {
    // No connection for a moment: the next look may have one.
  }
  if (fresh && fresh.dataset.newest !== newest) {
    document.getElementById("main").replaceWith(document.adoptNode(fresh));
    fresh.focus({ preventScroll: true });
    return;
  }
  if (wait < 30_000) asking = setTimeout(look, wait, newest, wait * 1.5);
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches?.("[data-queue-prints]")) return;
  clearTimeout(asking);
  asking = setTimeout(look, 300, document.getElementById("main").dataset.newest, 300);
});
