// What an import did or would do, with each remark beside the line it is about.

import { h } from "../../lib/dom.js";
import { number } from "../../lib/formats.js";
import { say } from "../../lib/words.js";
import { notice } from "../../parts/states.js";
import { masked } from "./mask.js";

const COUNTS = ["added", "updated", "unchanged", "disabled", "drained"];
const SHOWN = 200;

export function report(result, lines) {
  const refused = result.rejectedCount;
  const remarks = [...result.rejected.map((one) => ({ ...one, bad: true })), ...result.warnings].sort(
    (a, b) => a.line - b.line,
  );
  const all = refused + result.warningsCount;
  return h(
    "div",
    { class: "report", role: "status" },
    notice(refused ? "warn" : "good", h("p", {}, say(result.dryRun ? "import.would" : "import.did"))),
    h("div", { class: "tiles" }, [
      ...COUNTS.map((name) => tile(name, result[name], name === "drained" && result[name] > 0 ? "warn" : "")),
      tile("rejected", refused, refused ? "bad" : ""),
      tile("warnings", result.warningsCount, result.warningsCount ? "warn" : ""),
    ]),
    remarks.length > 0 &&
      h(
        "div",
        { class: "scroll" },
        h(
          "table",
          { class: "data remarks" },
          h("caption", { class: "unseen" }, say("import.remarks")),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              [
                ["number", "line"],
                ["", "verdict"],
                ["", "content"],
                ["", "why"],
              ].map(([shape, name]) => h("th", { scope: "col", class: shape || null }, say(`import.${name}`))),
            ),
          ),
          h(
            "tbody",
            {},
            remarks
              .slice(0, SHOWN)
              .map((one, index) =>
                h(
                  "tr",
                  { key: `${one.line}/${one.code}/${index}` },
                  h("td", { class: "number", "data-label": say("import.line") }, number(one.line)),
                  h(
                    "td",
                    { "data-label": say("import.verdict") },
                    h(
                      "span",
                      { class: `badge ${one.bad ? "bad" : "warn"}` },
                      say(one.bad ? "import.refused" : "import.warned"),
                    ),
                  ),
                  h(
                    "td",
                    { "data-label": say("import.content") },
                    h("code", { class: "cut" }, masked(lines?.[one.line - 1] ?? "")),
                  ),
                  h("td", { class: "prose", "data-label": say("import.why") }, one.reason),
                ),
              ),
          ),
        ),
      ),
    all > Math.min(remarks.length, SHOWN) &&
      h("p", { class: "hint" }, say("import.moreRemarks", { count: number(all - Math.min(remarks.length, SHOWN)) })),
  );
}

const tile = (name, value, tone) =>
  h(
    "div",
    { key: name, class: `tile ${tone}` },
    h("span", { class: "name" }, say(`import.${name}`)),
    h("span", { class: "value" }, number(value)),
  );
