// Words with a colour; the colour never speaks alone.

import { h } from "../lib/dom.js";
import { meaning, say } from "../lib/words.js";

const badge = (tone, text, title = "") => h("span", { class: `badge ${tone}`, title: title || null }, text);

export const STATUSES = ["used", "free", "cooling", "quarantined", "disabled"];

export const statusBadge = (status) => badge(status, say(`status.${status}`));

const STATES = { open: "good", connecting: "busy", close: "quiet", unknown: "quiet" };
export const stateBadge = (state) => badge(STATES[state] ?? "quiet", meaning("state", state));

export function phaseBadge(one) {
  if (one.stuck) return badge("bad", say("stuck"));
  if (!one.phase) return h("span", { class: "none" }, "–");
  const waits = one.phase === "releasing" && one.waits ? say(`waits.${one.waits}`) : "";
  return badge(one.phase === "active" ? "good" : "busy", say(`phase.${one.phase}`) + (waits ? ` · ${waits}` : ""));
}

const APPLIED = { yes: "good", no: "bad", unknown: "warn" };
export const appliedBadge = (applied) =>
  applied ? badge(APPLIED[applied], say(`applied.${applied}`)) : h("span", { class: "none" }, "–");

export const levelBadge = (level) => badge({ error: "bad", warning: "warn" }[level] ?? "quiet", say(`level.${level}`));

export const roleBadge = (role) => badge(role === "superadmin" ? "warn" : "quiet", role);
