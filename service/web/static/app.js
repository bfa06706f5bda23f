// Logs in, follows the live figures, and says so when they are no longer live.

import { draw } from "./figures.js";
import { locale, say } from "./words.js";

const KEY = "evoproxy.token";
const RETRY_MS = 3000;
const STALE_MS = 40000; // the service tells the figures at least every 30 s

const at = (id) => document.getElementById(id);
let following = null;
let overdue = 0;

function show(state) {
  at("link").dataset.state = state;
  at("link").textContent = say(state);
  document.querySelector("main").classList.toggle("stale", state === "stale");
}

function stale() {
  show("stale");
}

function fresh(stats) {
  clearTimeout(overdue);
  overdue = setTimeout(stale, STALE_MS);
  show("live");
  draw(stats);
  at("figures").hidden = false;
}

function unavailable() {
  stale();
  const notice = document.createElement("li");
  notice.className = "bad";
  notice.textContent = say("unavailable");
  at("notices").replaceChildren(notice);
}

function leave(refusal = "") {
  following?.abort();
  following = null;
  clearTimeout(overdue);
  sessionStorage.removeItem(KEY);
  at("figures").hidden = at("leave").hidden = true;
  at("login").hidden = false;
  at("refusal").textContent = refusal;
  show("off");
  at("token").focus();
}

// fetch in place of EventSource, which can't send the token.
async function read(response) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.event === "stats") fresh(JSON.parse(fields.data));
      if (fields.event === "unavailable") unavailable();
    }
  }
}

async function follow(token) {
  const { signal } = (following = new AbortController());
  at("login").hidden = true;
  at("leave").hidden = false;
  show("connecting");
  while (!signal.aborted) {
    try {
      const headers = { Authorization: `Bearer ${token}`, "Accept-Language": locale };
      const response = await fetch("/api/v1/stats/stream", { headers, signal });
      if (response.status === 401) return leave(say("refused"));
      if (response.status === 429) return leave(say("busy"));
      if (response.ok) {
        sessionStorage.setItem(KEY, token);
        await read(response);
      }
    } catch (error) {
      if (signal.aborted) return;
      console.warn("the stream ended", error);
    }
    stale();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

document.documentElement.lang = locale;
for (const node of document.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
at("leave").addEventListener("click", () => leave());
at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = at("token").value.trim();
  at("token").value = "";
  follow(token);
});

const kept = sessionStorage.getItem(KEY);
if (kept) follow(kept);
else leave();
