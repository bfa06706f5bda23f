// Finds out who is there, and shows the login or the page of the address.

import { ask, get, session } from "./lib/api.js";
import { draw, h } from "./lib/dom.js";
import { start, stop } from "./lib/live.js";
import { useTheme } from "./lib/prefs.js";
import { here } from "./lib/router.js";
import { say, useLocale } from "./lib/words.js";
import { failed, waiting } from "./parts/states.js";
import { login } from "./shell/login.js";
import { PAGES, shell } from "./shell/shell.js";

const root = document.getElementById("app");
let shown = null;

// The page of the address; the one that is shown already only hears of the other filters.
async function route() {
  if (!session.me) return;
  const { page: wanted, query } = here();
  const name = Object.hasOwn(PAGES, wanted) ? wanted : "overview";
  if (shown?.name === name) return shown.update?.(query);
  shown?.leaving.abort();
  const leaving = new AbortController();
  const current = (shown = { name, leaving, update: null });
  const main = shell(root, name, leaving.signal, leave);
  draw(main, waiting(8));
  try {
    const page = await PAGES[name]();
    if (leaving.signal.aborted) return;
    current.update = page.show({ root: main, signal: leaving.signal, language });
    current.update?.(here().query);
  } catch (error) {
    if (leaving.signal.aborted) return;
    console.error(error);
    draw(
      main,
      failed(Object.assign(error, { message: say("problem.page") }), () => location.reload()),
    );
  }
}

// All is drawn anew: the role or the language may be another.
function enter(me) {
  session.me = me;
  shown?.leaving.abort();
  shown = null;
  start();
  return route();
}

// Whatever was shown is gone with the session, not only hidden.
function lost(refusal = "") {
  session.me = null;
  shown?.leaving.abort();
  shown = null;
  stop();
  for (const dialog of document.querySelectorAll("dialog")) dialog.remove();
  login(root, { enter, language, refusal });
}

async function leave() {
  await ask("DELETE", "/session").catch((error) => console.info("the session ends by itself:", error.message));
  lost();
}

// Everything anew in another language or theme, but for the focus.
async function language() {
  const { id } = document.activeElement;
  useLocale();
  useTheme();
  if (session.me) await enter(session.me);
  else login(root, { enter, language });
  document.getElementById(id)?.focus();
}

session.lost = () => lost(say("login.over"));
session.changed = () => get("/session").then(enter, (problem) => lost(problem.message));
addEventListener("hashchange", route);
useLocale();
get("/session").then(enter, (problem) => {
  if (problem.status === 401) return lost();
  draw(root, h("main", { class: "login" }, failed(problem, () => location.reload())));
});
