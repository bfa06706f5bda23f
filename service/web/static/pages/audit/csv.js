// Events as CSV that a spreadsheet opens without running anything in it.

const FIELDS = [
  "id",
  "at",
  "level",
  "type",
  "actor",
  "server",
  "instanceId",
  "name",
  "proxyId",
  "reservationId",
  "token",
  "reason",
  "data",
];

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${inert.replaceAll('"', '""')}"`;
}

export const csv = {
  head: `${FIELDS.join(",")}\n`,
  row: (event) => `${FIELDS.map((name) => cell(event[name])).join(",")}\n`,
};
