// The token opens a session; the page forgets it at once.

import { ask } from "../lib/api.js";
import { draw, h } from "../lib/dom.js";
import { say } from "../lib/words.js";
import { refusal as told } from "../parts/states.js";
import { choices } from "./choices.js";

// `enter` is called with who that is.
export function login(root, { enter, language, refusal = "" }) {
  document.title = "evoproxy";
  const answer = h("div", {}, refusal && told({ message: refusal }));
  const input = h("input", {
    id: "token",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-hint",
  });
  const button = h("button", { type: "submit", class: "primary" }, say("login.enter"));
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    draw(answer);
    try {
      enter((await ask("POST", "/session", { body: { token: input.value.trim() } })).body);
    } catch (problem) {
      const wait =
        problem.status === 429 && problem.retryAfter ? ` ${say("login.wait", { seconds: problem.retryAfter })}` : "";
      draw(answer, told({ message: (problem.status === 401 ? say("login.refused") : problem.message) + wait }));
    } finally {
      button.disabled = false;
      input.value = "";
      input.focus();
    }
  };
  root.replaceChildren(); // the fields below are to be those on the page
  draw(
    root,
    h(
      "main",
      { key: "login", class: "login" },
      h(
        "form",
        { id: "login", class: "card", onsubmit: submit },
        h("h1", { class: "brand" }, "evoproxy"),
        h("label", { for: "token", class: "label" }, say("login.token")),
        input,
        button,
        answer,
        h("p", { class: "hint", id: "token-hint" }, say("login.hint")),
      ),
      choices(language),
    ),
  );
  input.focus();
}
