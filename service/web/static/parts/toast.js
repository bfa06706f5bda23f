// A word at the edge about what was done, read out and gone by itself.

import { h } from "../lib/dom.js";

const LASTS_MS = 5000;

export function toast(text) {
  const node = h("p", { class: "toast" }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), LASTS_MS);
}
