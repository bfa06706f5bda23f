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

// A name that is written from right to left, so that it turns nothing of the sentence around.
const LEFTWARD = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;
const isolated = (value) => (LEFTWARD.test(value) ? `\u2068${value}\u2069` : value);

export const say = (word, values = {}) =>
  (WORDS[chosen][word] ?? word).replace(/\{(\w+)\}/g, (_, name) => isolated(values[name] ?? "?"));

// `word.one` for 1, else `word.many`, with the number as {count}.
export const count = (word, value, shown, values = {}) =>
  say(value === 1 ? `${word}.one` : `${word}.many`, { count: shown, ...values });

// The words of a code of the pool's, or the code itself where a newer service has one more.
export const meaning = (kind, code, values = {}) =>
  code === null || code === "" ? "" : knows(`${kind}.${code}`) ? say(`${kind}.${code}`, values) : code;
