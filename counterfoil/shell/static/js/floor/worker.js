// Keeps the floor's pages on this phone for when there is no connection; with one they always come from the shop.
// VERSION, FILES and AWAY stand above: the shop writes them, and other ones make another worker.
const PAGES = `counterfoil-floor-pages-${VERSION}`;
const SHELF = `counterfoil-floor-files-${VERSION}`;
const LONGEST = 12 * 3600000; // milliseconds that a page is kept
const SLOW = 20000; // milliseconds without an answer after which a page that is kept is shown
const LASTING = /\.[0-9a-f]{12}\.[a-z]+$/; // the name says what is in it

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const shelf = await caches.open(SHELF);
  await shelf.addAll([...FILES, AWAY].map((url) => new Request(url, { cache: "reload" })));
  // The page that asked for this worker did not come by it: where all walks begin is kept all the same.
  const floor = new URL("/desk/floor", location.origin);
  await fetch(floor).then((answer) => keep(floor, answer)).catch(() => {});
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const old = (await caches.keys()).filter((name) => name.startsWith("counterfoil-floor-") && name !== PAGES && name !== SHELF);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  url.hash = "";
  if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/") || url.pathname.endsWith("/label.svg")) event.respondWith(file(request, url));
});

async function page(event, url) {
  const answer = fetch(event.request).then((found) => {
    const keeping = keep(url, found.clone());
    try {
      event.waitUntil(keeping);
    } catch { /* it came too late, and the kept page is shown */ }
    return found;
  });
  const slow = new Promise((done) => { setTimeout(done, SLOW); }).then(() => kept(url)).then((found) => found ?? answer);
  try {
    const found = await Promise.race([answer, slow]);
    // What stands before a shop that is being started anew answers in its place.
    return found.status < 500 ? found : await kept(url) ?? found;
  } catch {
    return await kept(url) ?? await caches.match(AWAY) ?? Response.error();
  }
}

// One page of each kind, and those of one person. Nobody's who may not see them any more.
async function keep(url, answer) {
  const user = answer.headers.get("X-Floor-User");
  if (answer.status === 403) await caches.delete(PAGES);
  if (!answer.ok || !user) return;
  const pages = await caches.open(PAGES);
  for (const old of await pages.keys()) {
    const other = (await pages.match(old))?.headers.get("X-Floor-User") !== user;
    if (other || new URL(old.url).pathname === url.pathname) await pages.delete(old);
  }
  const headers = new Headers(answer.headers);
  headers.delete("Content-Encoding");
  headers.set("X-Kept-At", String(Date.now()));
  await pages.put(url.href, new Response(await answer.blob(), { headers }));
}

async function kept(url) {
  const found = await (await caches.open(PAGES)).match(url.href);
  return found && Date.now() - Number(found.headers.get("X-Kept-At")) < LONGEST ? found : undefined;
}

async function file(request, url) {
  const shelf = await caches.open(SHELF);
  const known = await shelf.match(request, { ignoreVary: true });
  if (known && LASTING.test(url.pathname)) return known;
  try {
    const answer = await fetch(request);
    if (answer.ok) await shelf.put(request, answer.clone());
    return answer;
  } catch {
    return known ?? Response.error();
  }
}
