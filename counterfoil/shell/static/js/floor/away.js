// Without a connection: which pages this phone has kept.
const list = document.getElementById("kept");
const WORDS = { "/desk/floor": "The floor", "/desk/floor/pick": "Go on picking", "/desk/floor/pack": "Go on packing" };

for (const name of (await caches.keys()).filter((one) => one.startsWith("counterfoil-floor-pages-"))) {
  for (const { url } of await (await caches.open(name)).keys()) {
    const { pathname, searchParams } = new URL(url);
    if (url === location.href || !WORDS[pathname]) continue;
    const link = document.createElement("a");
    link.className = "btn big wide";
    link.href = url;
    link.textContent = [WORDS[pathname], ...searchParams.getAll("order")].join(" ");
    list.append(link);
  }
}
document.getElementById("nothing").hidden = list.children.length > 0;
