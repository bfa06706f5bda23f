// Gives the reader a file to keep.

import { h } from "./dom.js";

const TAKEN_MS = 60000; // the browser doesn't say when it has it

export function save(blob, name) {
  const href = URL.createObjectURL(blob);
  const anchor = h("a", { href, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(href), TAKEN_MS);
}
