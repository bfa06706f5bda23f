// Line drawings of 24 by 24, of our own.

import { svg } from "./dom.js";

const PATHS = {
  overview: "M4 17a8 8 0 1 1 16 0M12 17l4-5M4 20.5h16",
  proxies: "M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01M12 7.5h5M12 16.5h5",
  instances: "M8 3h8a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM11 18h2",
  import: "M12 4v11M7.5 10.5 12 15l4.5-4.5M4 19.5h16",
  audit: "M6 3.5h9l3.5 3.5v13.5H6zM9 11h6M9 14.5h6M9 7.5h3",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  close: "M6 6l12 12M18 6 6 18",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.5 15.5 20 20",
  left: "M14.5 5.5 8 12l6.5 6.5",
  right: "M9.5 5.5 16 12l-6.5 6.5",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17h.01",
  good: "M4.5 12.5l5 5 10-11",
  columns: "M4 5h16v14H4zM9.5 5v14M14.5 5v14",
};

export const icon = (name) =>
  svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
