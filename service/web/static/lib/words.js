// What the page says, in the language chosen, else in that of the browser.

import en from "../words/en.js";
import pt from "../words/pt.js";
import { preference } from "./prefs.js";

const WORDS = { "pt-BR": pt, en };

const wanted = () => preference("locale") ?? navigator.languages.find((tag) => /^(pt|en)/i.test(tag)) ?? "en";
let chosen = "en";

// pt-BR or en. Dates and numbers follow the browser's own variety of it.
export const locale = () => chosen;
export let region = "en";

export function useLocale() {
  chosen = /^pt/i.test(wanted()) ? "pt-BR" : "en";
  region = navigator.languages.find((tag) => tag.slice(0, 2) === chosen.slice(0, 2)) ?? chosen;
  document.documentElement.lang = chosen;
}

export const knows = (word) => word in WORDS[chosen];

export const say = (word, values = {}) =>
  (WORDS[chosen][word] ?? word).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "?");

// `word.one` for 1, else `word.many`, with the number as {count}.
export const count = (word, value, shown, values = {}) =>
  say(value === 1 ? `${word}.one` : `${word}.many`, { count: shown, ...values });

// The words of a code of the pool's, or the code itself where a newer service has one more.
export const meaning = (kind, code) =>
  code === null || code === "" ? "" : knows(`${kind}.${code}`) ? say(`${kind}.${code}`) : code;
