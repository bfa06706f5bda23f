// One of the groups that there are, or any.

import { h } from "../lib/dom.js";
import { live } from "../lib/live.js";
import { say } from "../lib/words.js";
import { field } from "./dialog.js";

export const groupChoice = () =>
  field(
    say("column.group"),
    h(
      "select",
      { name: "group" },
      h("option", { value: "" }, say("assign.anyGroup")),
      Object.keys(live.stats?.groups ?? {})
        .filter(Boolean)
        .map((name) => h("option", { key: name, value: name }, name)),
    ),
  );
