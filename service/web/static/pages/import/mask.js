// A line of a vendor's list without what may be a password.

const HIDDEN = "•••";
const HOST = /^(\[[0-9a-f:]+\]|(\d{1,3}\.){3}\d{1,3}|(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,})$/i;
const PLAIN = new Set(["http", "https", "socks4", "socks5", "socks5h", "true", "false"]);

// Only what is certain to be none is shown: hosts, ports and protocols. In doubt a name is hidden, too.
export const masked = (line) =>
  line
    .slice(0, 300)
    .split(/([:@;,|\t/"' {}]+)/)
    .map((part, index) => (index % 2 || harmless(part) ? part : HIDDEN))
    .join("");

const harmless = (part) => part === "" || HOST.test(part) || PLAIN.has(part.toLowerCase()) || /^\d{2,5}$/.test(part);
