// The filtered events as a file, fetched page by page.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { number } from "../../lib/formats.js";
import { save } from "../../lib/save.js";
import { say } from "../../lib/words.js";
import { refusal } from "../../parts/states.js";
import { csv } from "./csv.js";

const LIMIT = 500;
const MOST = 200000; // in the memory of a browser; the command line takes more

const WRITERS = {
  ndjson: { type: "application/x-ndjson", head: "", row: (event) => `${JSON.stringify(event)}\n` },
  csv: { type: "text/csv", ...csv },
};

// `query()` answers the filters in force; `changed` is called while it goes on.
export function taking(query, changed, signal) {
  const state = { done: null, stop: null, problem: null, cut: false };

  async function take(name) {
    const writer = WRITERS[name];
    const stop = (state.stop = new AbortController());
    Object.assign(state, { done: 0, problem: null, cut: false });
    changed();
    try {
      const parts = [writer.head];
      let cursor = "";
      do {
        const page = await get("/events", { ...query(), limit: LIMIT, cursor }, AbortSignal.any([signal, stop.signal]));
        parts.push(page.items.map(writer.row).join(""));
        state.done += page.items.length;
        cursor = page.nextCursor;
        changed();
      } while (cursor && state.done < MOST);
      state.cut = Boolean(cursor);
      save(new Blob(parts, { type: writer.type }), `evoproxy-events.${name}`);
    } catch (error) {
      if (!stop.signal.aborted && !signal.aborted) state.problem = error;
    }
    state.done = null;
    if (!signal.aborted) changed();
  }

  return {
    view: () =>
      h(
        "div",
        { class: "take" },
        state.done === null
          ? Object.keys(WRITERS).map((name) =>
              h(
                "button",
                { key: name, id: `take-${name}`, type: "button", onclick: () => take(name) },
                say(`audit.${name}`),
              ),
            )
          : [
              h("p", { role: "status" }, say("audit.taking", { count: number(state.done) })),
              h("button", { type: "button", onclick: () => state.stop.abort() }, say("cancel")),
            ],
        state.cut && h("p", { class: "hint" }, say("audit.cut", { count: number(MOST) })),
        refusal(state.problem),
      ),
  };
}
