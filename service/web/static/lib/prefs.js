// What this browser remembers of its reader: language, theme, columns. Never anything secret.

const NAME = "evoproxy.";

export function preference(name) {
  try {
    return JSON.parse(localStorage.getItem(NAME + name));
  } catch {
    return null; // storage is refused, or holds what another release wrote
  }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(NAME + name);
    else localStorage.setItem(NAME + name, JSON.stringify(value));
  } catch {
    // a browser that keeps nothing: the choice lasts as long as the page
  }
}

// light, dark, or null for the system's.
export function useTheme(theme = preference("theme")) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
