// Where the reader is: `#/page/part?filters`. Every place has a link that leads there again.

const changed = () => dispatchEvent(new Event("hashchange"));

export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [page = "", ...rest] = path.split("/").map(decodeURIComponent);
  return { page, rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function link(page, query = {}) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== "" && value !== null && value !== undefined && value !== false,
  );
  const text = new URLSearchParams(given).toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}

// `replace` leaves no step in the browser's history: for what is typed.
export function go(page, query = {}, { replace = false } = {}) {
  const target = link(page, query);
  if (target === location.hash) return;
  if (!replace) {
    location.hash = target;
    return;
  }
  history.replaceState(null, "", target);
  changed();
}
