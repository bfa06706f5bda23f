// Numbers and times as the reader writes them.

import { h } from "./dom.js";
import { region, say } from "./words.js";

const NONE = "–";
const made = new Map();

function format(kind, options) {
  const name = region + kind.name + JSON.stringify(options);
  if (!made.has(name)) made.set(name, new kind(region, options));
  return made.get(name);
}

const known = (value) => value !== null && value !== undefined;

export const number = (value) => (known(value) ? format(Intl.NumberFormat, {}).format(value) : NONE);
export const percent = (value, digits = 1) =>
  known(value)
    ? format(Intl.NumberFormat, {
        style: "percent",
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      }).format(value / 100)
    : NONE;
export const date = (moment) =>
  known(moment) ? format(Intl.DateTimeFormat, { dateStyle: "medium" }).format(new Date(moment)) : NONE;
export const dateTime = (moment) =>
  known(moment)
    ? format(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(moment))
    : NONE;
export const clock = (moment) => format(Intl.DateTimeFormat, { timeStyle: "short" }).format(new Date(moment));

const isToday = (moment) => new Date(moment).toDateString() === new Date().toDateString();

// Today's times without their date.
export const short = (moment) => {
  if (!known(moment)) return NONE;
  if (isToday(moment)) return format(Intl.DateTimeFormat, { timeStyle: "medium" }).format(new Date(moment));
  return format(Intl.DateTimeFormat, {
    day: "2-digit",
    month: "2-digit",
    year: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(moment));
};

// A moment whose whole date is a hover away.
export const when = (moment) =>
  known(moment)
    ? h("time", { datetime: moment, title: dateTime(moment) }, short(moment))
    : h("span", { class: "none" }, NONE);

// As datetime-local takes it, in the browser's time zone; "" for what is no time.
export function local(moment) {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

const units = (value, unit) => format(Intl.NumberFormat, { style: "unit", unit, unitDisplay: "short" }).format(value);

// Its two largest units: 3 d 4 h.
export function duration(seconds) {
  if (!known(seconds)) return NONE;
  const whole = Math.round(seconds);
  if (whole < 60) return units(whole, "second");
  if (whole < 3600) return units(Math.floor(whole / 60), "minute");
  const [large, small, size, part] = whole < 86400 ? ["hour", "minute", 3600, 60] : ["day", "hour", 86400, 3600];
  const rest = Math.floor((whole % size) / part);
  return units(Math.floor(whole / size), large) + (rest ? ` ${units(rest, small)}` : "");
}

export const ago = (moment) => {
  const seconds = (Date.now() - new Date(moment)) / 1000;
  return seconds < 2 ? say("now") : say("ago", { time: duration(Math.max(0, seconds)) });
};

export const address = (proxy) => `${proxy.host.includes(":") ? `[${proxy.host}]` : proxy.host}:${proxy.port}`;
