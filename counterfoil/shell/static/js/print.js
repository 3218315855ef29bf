// The print queue: a paper opens in a window of its own, and what was printed leaves the list.
document.addEventListener("submit", (event) => {
  if (!event.target.matches?.("[data-queue-prints]")) return;
  setTimeout(() => location.reload(), 1500);
});
