// What the table of proxies can show; `sort` is the word by which the API sorts.

import { h } from "../../lib/dom.js";
import { address, when } from "../../lib/formats.js";
import { link } from "../../lib/router.js";
import { say } from "../../lib/words.js";
import { appliedBadge, phaseBadge, statusBadge } from "../../parts/badges.js";

const none = () => h("span", { class: "none" }, "–");
const text = (value) => (value ? h("span", { class: "cut", title: value }, value) : none());

const column = (name, cell, sort = null) => ({
  name,
  get head() {
    return say(`column.${name}`);
  },
  cell,
  sort,
});

export const COLUMNS = {
  address: column("address", (proxy) => h("span", { class: "mono" }, address(proxy)), "host"),
  status: column("status", (proxy) => statusBadge(proxy.status), "status"),
  holder: column(
    "holder",
    (proxy) =>
      proxy.assignedInstanceName
        ? h(
            "a",
            {
              class: "cut",
              title: proxy.assignedInstanceName,
              href: link("instances", { open: proxy.assignedInstanceName, at: proxy.server }),
            },
            proxy.assignedInstanceName,
          )
        : none(),
    "instance",
  ),
  server: column("server", (proxy) => text(proxy.server)),
  group: column("group", (proxy) => text(proxy.group), "group"),
  protocol: column("protocol", (proxy) => proxy.protocol),
  username: column("username", (proxy) => text(proxy.username)),
  labels: column("labels", (proxy) => (proxy.labels.length ? text(proxy.labels.join(", ")) : none())),
  phase: column("phase", phaseBadge),
  applied: column("applied", (proxy) => appliedBadge(proxy.applied)),
  since: column("since", (proxy) => when(proxy.since)),
  availableAt: column("availableAt", (proxy) => when(proxy.availableAt)),
  expiresAt: column("expiresAt", (proxy) => when(proxy.expiresAt), "expiresAt"),
  createdAt: column("createdAt", (proxy) => when(proxy.createdAt), "createdAt"),
  updatedAt: column("updatedAt", (proxy) => when(proxy.updatedAt), "updatedAt"),
};

export const DEFAULT_COLUMNS = ["status", "holder", "group", "protocol", "username", "updatedAt"];
