// Where the reader is: `#/page?filters`. Every place has a link that leads there again.

const changed = () => dispatchEvent(new Event("hashchange"));

export function here() {
  const [page, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { page, query: Object.fromEntries(new URLSearchParams(query)) };
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

// To where the reader came from, as a step back: otherwise the next press of Back would lead to the same place.
export function back(page, query) {
  const before = globalThis.navigation?.entries()[navigation.currentEntry.index - 1];
  if (before?.url?.endsWith(link(page, query))) history.back();
  else go(page, query, { replace: true });
}
