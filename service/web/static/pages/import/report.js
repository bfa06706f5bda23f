// What an import did in figures, with its remarks; or what it would do, line by line.

import { h } from "../../lib/dom.js";
import { number } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { notice } from "../../parts/states.js";
import { lines, warned } from "./lines.js";

const COUNTS = ["added", "updated", "unchanged", "disabled", "drained"];

// `view` is {filter, shown}; `change(view)` is called with another one. `content` holds the source's lines.
export function report(result, content, view, change) {
  const refused = result.rejectedCount;
  const undrained = result.warnings.find(({ code }) => code === "not_drained");
  return h(
    "div",
    { class: "report" },
    notice(
      refused ? "warn" : "good",
      h("p", { role: "status" }, say(result.dryRun ? "import.would" : "import.did")),
    ),
    undrained && notice("warn", h("p", {}, undrained.reason)),
    h("div", { class: "tiles" }, [
      ...COUNTS.map((name) => tile(name, result[name], name === "drained" && result[name] > 0 ? "warn" : "")),
      tile("rejected", refused, refused ? "bad" : ""),
      tile("warnings", result.warningsCount, result.warningsCount ? "warn" : ""),
    ]),
    lines(judged(result), content, view, change),
  );
}

// Lines and how many there are; once imported, those with a remark.
function judged({ dryRun, lines, linesOmitted, verdicts, rejected, rejectedCount, warnings, warningsCount }) {
  if (dryRun) {
    const unlisted = warningsCount - warnings.length;
    const counts = { ...verdicts, warned: lines.filter(warned).length + unlisted };
    return { lines, all: lines.length + linesOmitted, counts };
  }
  const remarked = (verdict) => (one) => ({ line: one.line, verdict, host: null, changed: [], remarks: [one] });
  return {
    lines: [...rejected.map(remarked("refused")), ...warnings.map(remarked("warned"))].sort((a, b) => a.line - b.line),
    all: rejectedCount + warningsCount,
    counts: { refused: rejectedCount, warned: warningsCount },
  };
}

const tile = (name, value, tone) =>
  h(
    "div",
    { key: name, class: `tile ${tone}` },
    h("span", { class: "name" }, say(`import.${name}`)),
    h("span", { class: "value" }, number(value)),
  );
