// Nothing there yet, nothing there at all, something wrong.

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { say } from "../lib/words.js";

const LASTING = new Set([403, 404, 422]); // the same again has the same answer

export const empty = (title, hint = "", ...more) =>
  h("div", { class: "state" }, h("p", { class: "title" }, title), hint && h("p", { class: "hint" }, hint), more);

export const noMatch = () => empty(say("list.noMatch"), say("list.noMatchHint"));

// What went wrong and, where it makes sense, a way to try again.
export const failed = (problem, again = null) =>
  h(
    "div",
    { class: "state bad", role: "alert" },
    icon("warning"),
    h("p", { class: "title" }, problem.message),
    trace(problem),
    again && !LASTING.has(problem.status) && h("button", { type: "button", onclick: again }, say("again")),
  );

// One line about a refusal, beside what was refused.
export const refusal = (problem) =>
  h("div", { class: "refusal", role: "alert" }, problem && h("p", {}, problem.message), problem && trace(problem));

const trace = (problem) =>
  problem.requestId ? h("p", { class: "hint" }, say("requestId", { id: problem.requestId })) : null;

export const waiting = (rows = 6) =>
  h(
    "div",
    { class: "waiting", role: "status", "aria-label": say("loading") },
    Array.from({ length: rows }, () => h("i")),
  );

export const notice = (level, ...content) =>
  h("div", { class: `notice ${level}` }, icon(level === "good" ? "good" : "warning"), h("div", {}, content));
