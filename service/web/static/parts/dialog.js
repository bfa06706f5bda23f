// Dialogs and drawers: the browser's own, which keep the focus in, close by Escape and give the focus back. A press
// beside it closes a drawer only: a dialog may hold what was typed, or a token that is shown once.

import { draw, h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { say } from "../lib/words.js";
import { refusal } from "./states.js";

let made = 0;

// Shows it; answers its body and `close`. `closed` is called once it is gone, however that came about.
export function show(kind, title, { closed = () => {} } = {}) {
  const id = `dialog-${++made}`;
  const body = h("div", { class: "body" });
  const dialog = h(
    "dialog",
    { class: kind, "aria-labelledby": id },
    h(
      "div",
      { class: "head" },
      h("h2", { id }, title),
      h(
        "button",
        { type: "button", class: "icon-button", "aria-label": say("close"), onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    body,
  );
  dialog.onpointerdown = (event) => {
    if (kind === "drawer" && event.clientX < dialog.getBoundingClientRect().left) dialog.close();
  };
  dialog.onclose = () => {
    dialog.remove();
    closed();
  };
  document.body.append(dialog);
  dialog.showModal();
  return {
    body,
    dialog,
    title: (text) => draw(dialog.querySelector("h2"), text),
    close: () => dialog.open && dialog.close(),
  };
}

// Asks before something is done. `act(form data)` does it and answers what to show in its place, or nothing to close;
// what it throws is told there, and the reader may try again.
export function confirm({ title, content, action, danger = false, act }) {
  const view = show("dialog", title);
  const told = h("div", {});
  const button = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
  const form = h(
    "form",
    { method: "dialog" },
    h("div", { class: "content" }, content),
    told,
    h("div", { class: "actions" }, h("button", { type: "button", onclick: view.close }, say("cancel")), button),
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    draw(told, h("p", { class: "working", role: "status" }, say("working")));
    try {
      const result = await act(new FormData(form), told);
      if (!result) return view.close();
      draw(
        view.body,
        h("div", { key: "result", class: "content", role: "status" }, result),
        h(
          "div",
          { key: "done", class: "actions" },
          h("button", { type: "button", class: "primary", onclick: view.close, autofocus: true }, say("close")),
        ),
      );
      view.body.querySelector(".actions button").focus();
    } catch (error) {
      draw(told, refusal(error));
    } finally {
      button.disabled = false;
      form.removeAttribute("aria-busy");
    }
  };
  draw(view.body, form);
  (form.querySelector(".content :is(input, select, textarea)") ?? button).focus();
  return view;
}

export const field = (label, control, hint = "") =>
  h(
    "label",
    { class: "field" },
    h("span", { class: "label" }, label),
    control,
    hint && h("span", { class: "hint" }, hint),
  );

export const tick = (name, label, hint = "") =>
  h(
    "label",
    { class: "check" },
    h("input", { type: "checkbox", name }),
    h("span", {}, label, hint && h("span", { class: "hint" }, hint)),
  );
