// Nobody is logged in: what the floor kept on this phone of whoever was is gone. What waits to be sent stays, unseen,
// until they are here again.
if ("caches" in window) {
  const names = await caches.keys().catch(() => []);
  await Promise.all(names.filter((name) => name.startsWith("counterfoil-floor-pages-")).map((name) => caches.delete(name)));
}
