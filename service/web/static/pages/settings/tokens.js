// Who may use the service by token.

import { ask, post, segment } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { dateTime, when } from "../../lib/formats.js";
import { Listing } from "../../lib/listing.js";
import { say } from "../../lib/words.js";
import { roleBadge } from "../../parts/badges.js";
import { confirm, field } from "../../parts/dialog.js";
import { empty } from "../../parts/states.js";
import { table } from "../../parts/table.js";
import { toast } from "../../parts/toast.js";

const ROLES = ["viewer", "admin", "superadmin"];
const LIMIT = 50;

export class Tokens {
  constructor(changed, signal) {
    this.listing = new Listing("/tokens", changed, signal);
  }

  load() {
    this.listing.load({ limit: LIMIT });
  }

  view() {
    const { listing } = this;
    const columns = [
      { name: "name", head: say("column.name"), cell: (token) => h("span", { class: "cut" }, token.name) },
      { name: "role", head: say("column.role"), cell: (token) => roleBadge(token.role) },
      { name: "createdAt", head: say("column.createdAt"), cell: (token) => when(token.createdAt) },
      { name: "lastUsedAt", head: say("column.lastUsedAt"), cell: (token) => when(token.lastUsedAt) },
      {
        name: "expiresAt",
        head: say("column.expiresAt"),
        cell: (token) => (token.expiresAt ? when(token.expiresAt) : say("never")),
      },
      {
        name: "act",
        head: say("column.act"),
        cell: (token) =>
          h(
            "button",
            {
              type: "button",
              class: "danger quiet",
              "aria-label": `${say("token.revoke")} ${token.name}`,
              onclick: () => this.revoke(token),
            },
            say("token.revoke"),
          ),
      },
    ];
    return h(
      "section",
      { key: "tokens", class: "card" },
      h(
        "div",
        { class: "head" },
        h("h2", {}, say("tokens")),
        h(
          "button",
          { id: "new-token", type: "button", class: "primary", onclick: () => this.create() },
          say("token.create"),
        ),
      ),
      table({ label: say("tokens"), columns, listing, keyOf: (token) => token.id, nothing: empty(say("tokens.none")) }),
    );
  }

  create() {
    confirm({
      title: say("token.create"),
      content: [
        field(
          say("column.name"),
          h("input", {
            name: "name",
            required: true,
            maxlength: "64",
            pattern: "[A-Za-z0-9.\\-]+",
            autocomplete: "off",
          }),
          say("token.nameHint"),
        ),
        field(
          say("column.role"),
          h(
            "select",
            { name: "role" },
            ROLES.map((role) => h("option", { value: role }, `${role} – ${say(`role.${role}`)}`)),
          ),
        ),
        field(
          say("column.expiresAt"),
          h("input", { name: "expiresAt", type: "datetime-local" }),
          say("token.expiryHint"),
        ),
      ],
      action: say("token.create"),
      act: async (form) => {
        const expiry = form.get("expiresAt");
        const made = await post("/tokens", {
          name: form.get("name").trim(),
          role: form.get("role"),
          ...(expiry && { expiresAt: new Date(expiry).toISOString() }),
        });
        this.listing.reload();
        return [
          h("p", {}, say("token.shownOnce")),
          h("code", { class: "secret", tabindex: "0" }, made.token),
          copy(made.token),
          made.expiresAt && h("p", { class: "hint" }, say("token.ends", { time: dateTime(made.expiresAt) })),
        ];
      },
    });
  }

  revoke(token) {
    confirm({
      title: say("token.revoke"),
      content: h("p", {}, say("token.revokeConfirm", { name: token.name })),
      action: say("token.revoke"),
      danger: true,
      act: async () => {
        await ask("DELETE", `/tokens/${segment(token.id)}`);
        this.listing.reload();
        toast(say("token.revoked", { name: token.name }));
      },
    });
  }
}

// The clipboard is there behind TLS and on this machine only.
function copy(text) {
  if (!navigator.clipboard) return null;
  return h(
    "button",
    {
      type: "button",
      onclick: () =>
        navigator.clipboard.writeText(text).then(
          () => toast(say("copied")),
          () => toast(say("notCopied")),
        ),
    },
    say("copy"),
  );
}
