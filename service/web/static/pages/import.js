// Bringing proxies in: first what would happen, line by line, then the import; and taking the pool out.

import { may } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { number } from "../lib/formats.js";
import { say } from "../lib/words.js";
import { upload } from "../lib/upload.js";
import { confirm, field } from "../parts/dialog.js";
import { progress } from "../parts/progress.js";
import { notice, refusal } from "../parts/states.js";
import { exporting } from "./import/export.js";
import { report } from "./import/report.js";

const PROTOCOLS = ["http", "socks5", "https", "socks4"];
const ALL = { filter: "" };

// Nobody has answered for the whole.
const unfinished = (problem) => problem && (problem.status === 0 || problem.status >= 500);

export function show({ root, signal }) {
  const state = {
    file: null,
    text: "",
    mode: "add",
    protocol: "http",
    group: "",
    sent: null,
    report: null,
    lines: null,
    view: ALL,
    problem: null,
    over: false,
  };
  const exported = may("superadmin") ? exporting(tell, signal) : null;
  const content = () => state.file ?? (state.text.trim() ? new Blob([state.text]) : null);

  // What was looked at is no longer what would be sent.
  function change(changes) {
    Object.assign(state, { report: null, view: ALL, problem: null }, changes);
    tell();
  }

  async function send(dryRun) {
    const body = content();
    Object.assign(state, { sent: 0, problem: null, dryRun, view: ALL });
    tell();
    try {
      state.lines = await firstLines(body);
      const query = { mode: state.mode, protocol: state.protocol, group: state.group, dryRun: String(dryRun) };
      state.report = await upload(
        "/proxies/import",
        query,
        body,
        (done) => {
          state.sent = done;
          tell();
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      state.problem = error;
    }
    state.sent = null;
    tell();
  }

  function look(view) {
    state.view = view;
    tell();
  }

  function begin() {
    const { drained } = state.report;
    if (state.mode === "add" || !drained) return send(false);
    confirm({
      title: say("import.sync"),
      content: h("p", {}, say("import.drains", { count: number(drained) })),
      action: say("import.now"),
      danger: true,
      act: async () => void send(false),
    });
  }

  const drop = (event) => {
    event.preventDefault();
    state.over = false;
    if (event.dataTransfer.files.length) change({ file: event.dataTransfer.files[0] });
  };
  const over = (on) => (event) => {
    event.preventDefault();
    if (state.over === on) return;
    state.over = on;
    tell();
  };

  function source() {
    const { file } = state;
    return h(
      "div",
      { class: `drop ${state.over ? "over" : ""}`, ondrop: drop, ondragover: over(true), ondragleave: over(false) },
      h(
        "label",
        { class: "button" },
        h("input", {
          id: "file",
          type: "file",
          class: "unseen",
          onchange: (event) => event.target.files.length && change({ file: event.target.files[0] }),
        }),
        say("import.choose"),
      ),
      h("p", { class: "hint" }, say("import.dropHint")),
      file
        ? h(
            "p",
            { key: "file", class: "file" },
            h("strong", {}, file.name),
            ` · ${say("import.bytes", { count: number(file.size) })} `,
            h(
              "button",
              { type: "button", class: "plain", onclick: () => change({ file: null }) },
              say("import.otherFile"),
            ),
          )
        : h(
            "label",
            { key: "paste", class: "field" },
            h("span", { class: "label" }, say("import.paste")),
            h("textarea", {
              id: "lines",
              rows: "8",
              spellcheck: "false",
              autocomplete: "off",
              placeholder: say("import.placeholder"),
              oninput: (event) => change({ text: event.target.value }),
            }),
          ),
    );
  }

  function options() {
    const choose = (name) => (event) => change({ [name]: event.target.value });
    return h(
      "div",
      { class: "fields" },
      field(
        say("import.mode"),
        h(
          "select",
          { id: "mode", value: state.mode, onchange: choose("mode") },
          h("option", { value: "add" }, say("import.add")),
          h("option", { value: "sync" }, say("import.sync")),
        ),
      ),
      field(
        say("import.protocol"),
        h(
          "select",
          { value: state.protocol, onchange: choose("protocol") },
          PROTOCOLS.map((name) => h("option", { value: name }, name)),
        ),
      ),
      field(
        say("column.group"),
        h("input", { value: state.group, maxlength: "100", autocomplete: "off", oninput: choose("group") }),
        say("import.groupHint"),
      ),
    );
  }

  // Of what has arrived the service tells nothing before the end.
  function underWay() {
    if (state.sent === 1) return progress(say("import.working"), null);
    return progress(say(state.dryRun ? "import.looking" : "import.running"), state.sent);
  }

  function tell() {
    const busy = state.sent !== null;
    const looked = state.report?.dryRun;
    const ready = content() && !busy;
    draw(
      root,
      h(
        "section",
        { key: "import", class: "card" },
        h("h2", {}, say("import.title")),
        h("p", { class: "hint" }, say("import.formats")),
        source(),
        options(),
        state.mode === "sync" && notice("warn", h("p", {}, say("import.syncWarning"))),
        h(
          "div",
          { class: "actions" },
          h(
            "button",
            {
              id: "look",
              type: "button",
              class: looked ? null : "primary",
              disabled: !ready,
              onclick: () => send(true),
            },
            say("import.look"),
          ),
          h(
            "button",
            {
              id: "import",
              type: "button",
              class: looked ? "primary" : null,
              disabled: !ready || !looked,
              onclick: begin,
            },
            say("import.now"),
          ),
        ),
        busy && underWay(),
        refusal(state.problem),
        !state.dryRun && unfinished(state.problem) && h("p", { class: "hint" }, say("import.cutOff")),
        state.report && !busy && report(state.report, state.lines, state.view, look),
      ),
      exported?.view(),
    );
  }

  tell();
}

const SHOWN_BYTES = 4 << 20;

// The lines to show beside remarks: of a large file the first four megabytes.
async function firstLines(blob) {
  const text = await blob.slice(0, SHOWN_BYTES).text();
  return text.split(/\r\n|\r|\n/);
}
