// The live figures: one stream for all pages, which says when it is no longer live.

import { API, session } from "./api.js";
import { locale } from "./words.js";

const SILENT_MS = 40000; // the service tells the figures at least every 30 s
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;

// `state` is off, connecting, live, stale, or unavailable while the service can't reach its store.
export const live = { stats: null, heardAt: 0, state: "off" };

const listeners = new Set();
let following = null;

// `listener` hears of every change until `signal`.
export function follow(listener, signal) {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

// Calls `listener` when `part(figures)` is another, until `signal`.
export function followPart(part, listener, signal) {
  let known = "";
  follow(() => {
    const now = live.stats ? JSON.stringify(part(live.stats)) : known;
    if (now === known) return;
    known = now;
    listener();
  }, signal);
}

// Calls `listener` `ms` after the figures have moved, once however often they do until then.
export function moved(listener, ms, signal) {
  let due = 0;
  let at = live.stats?.at;
  follow(() => {
    if (due || !live.stats || live.stats.at === at) return;
    at = live.stats.at;
    due = setTimeout(() => {
      due = 0;
      listener();
    }, ms);
  }, signal);
  signal.addEventListener("abort", () => clearTimeout(due), { once: true });
}

function tell(state) {
  live.state = state;
  for (const listener of listeners) listener();
}

function heard(stats) {
  live.stats = stats;
  live.heardAt = Date.now();
  tell("live");
}

// `awaited` is called with each part of the answer.
async function read(response, awaited) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    awaited();
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.event === "stats") heard(JSON.parse(fields.data));
      if (fields.event === "unavailable") tell("unavailable");
    }
  }
}

// fetch in place of EventSource, which can't say in which language, nor hear that the session is over. A connection
// that says nothing for too long is given up: that of a machine which slept, for instance, is never closed.
async function connect(stopped) {
  const silence = new AbortController();
  let overdue = 0;
  const awaited = () => {
    clearTimeout(overdue);
    overdue = setTimeout(() => silence.abort(), SILENT_MS);
  };
  const signal = AbortSignal.any([stopped, silence.signal]);
  awaited();
  try {
    const response = await fetch(`${API}/stats/stream`, { headers: { "Accept-Language": locale() }, signal });
    if (response.status === 401) return session.lost();
    if (!response.ok) throw new Error(`the stream was answered ${response.status}`);
    await read(response, awaited);
  } finally {
    clearTimeout(overdue);
  }
}

// Returns at once; tries again ever more slowly, and at once when the network is back.
export async function start() {
  stop();
  const { signal } = (following = new AbortController());
  let wait = FIRST_WAIT_MS;
  tell("connecting");
  while (!signal.aborted) {
    const begun = live.heardAt;
    await connect(signal).catch((error) => signal.aborted || console.info("no live figures:", error.message));
    if (signal.aborted) return;
    wait = live.heardAt > begun ? FIRST_WAIT_MS : Math.min(wait * 2, LONGEST_WAIT_MS);
    tell(live.stats ? "stale" : "connecting");
    await pause(wait * (0.75 + Math.random() / 2), signal);
  }
}

export function stop() {
  following?.abort();
  following = null;
  live.stats = null;
  live.heardAt = 0;
  tell("off");
}

function pause(ms, stopped) {
  const over = new AbortController();
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    addEventListener("online", resolve, { signal: over.signal });
    stopped.addEventListener("abort", resolve, { signal: over.signal });
  }).finally(() => over.abort());
}
