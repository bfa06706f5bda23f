// Tokens, sessions, jobs and servers; pause and resume; language and theme.

import { may } from "../lib/api.js";
import { draw } from "../lib/dom.js";
import { follow } from "../lib/live.js";
import { appearance, running } from "./settings/general.js";
import { Jobs } from "./settings/jobs.js";
import { servers } from "./settings/servers.js";
import { Sessions } from "./settings/sessions.js";
import { Tokens } from "./settings/tokens.js";

export function show({ root, signal, language }) {
  const jobs = may("admin") ? new Jobs(tell, signal) : null;
  const tokens = may("superadmin") ? new Tokens(tell, signal) : null;
  const sessions = may("superadmin") ? new Sessions(tell, signal) : null;

  function tell() {
    draw(root, appearance(language), running(), servers(), jobs?.view(), tokens?.view(), sessions?.view());
  }

  follow(tell, signal);
  tell();
  jobs?.load();
  tokens?.load();
  sessions?.load();
}
