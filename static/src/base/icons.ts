/** Our icons: 24 by 24, strokes in the colour of the text. */

const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  menu: "M5 11.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1zM12 11.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1zM19 11.5a.5.5 0 1 0 0 1 .5.5 0 1 0 0-1z",
  star: "M12 4l2.5 5.2 5.7.8-4.1 4 1 5.7L12 17l-5.1 2.7 1-5.7-4.1-4 5.7-.8z",
  source: "M9 7l-5 5 5 5M15 7l5 5-5 5",
  split: "M4 5h16v14H4zM12 5v14",
  preview: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  outline: "M5 6h14M9 12h10M13 18h6",
  settings: "M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4",
  search: "M11 17.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM16 16l4.5 4.5",
  download: "M12 4v11M7.5 11L12 15.5 16.5 11M5 20h14",
  present: "M3 5h18v11H3zM12 16v4M8 20h8",
  keys: "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
  print: "M7 8V4h10v4M7 17H4V9h16v8h-3M7 14h10v6H7z",
  undo: "M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9",
  redo: "M16 5l4 4-4 4M20 9H10a5.5 5.5 0 0 0 0 11h5",
  heading: "M6 5v14M18 5v14M6 12h12",
  bold: "M8 5h5.5a3.5 3.5 0 0 1 0 7H8zM8 12h6.5a3.5 3.5 0 0 1 0 7H8z",
  italic: "M10 5h8M6 19h8M14.5 5l-5 14",
  strike: "M4 12h16M16.5 8.5C16 6.5 14.5 5 12 5c-2.8 0-4.5 1.5-4.5 3.5M7.5 15.5C8 17.5 9.5 19 12 19c2.8 0 4.5-1.5 4.5-3.5",
  code: "M8.5 7.5L4 12l4.5 4.5M15.5 7.5L20 12l-4.5 4.5",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9h.01",
  footnote: "M4 18h6M4 13h9M4 8h9M17 12V5l-2 1.5",
  quote: "M5 6v12M10 7h9M10 12h9M10 17h6",
  bullet: "M5 7h.01M5 12h.01M5 17h.01M10 7h10M10 12h10M10 17h10",
  number: "M4.5 5.5L6 5v4M4.5 13.5c.5-1 2.5-1 2.5.3 0 1-2.5 2.2-2.5 3.2H7M11 7h9M11 12h9M11 17h9",
  task: "M4 5h6v6H4zM5.5 8L7 9.5 10 6M14 8h6M4 14h6v6H4zM14 17h6",
  codeBlock: "M4 5h16v14H4zM10 9.5L7.5 12l2.5 2.5M14 9.5l2.5 2.5-2.5 2.5",
  table: "M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14",
  formula: "M17 6V5H7l6 7-6 7h10v-1",
  rule: "M4 12h16M8 7h8M8 17h8",
  addRow: "M4 4h16v7H4zM12 14v7M8.5 17.5h7",
  removeRow: "M4 4h16v7H4zM8.5 17.5h7",
  addColumn: "M4 4h7v16H4zM14 12h7M17.5 8.5v7",
  removeColumn: "M4 4h7v16H4zM14 12h7",
  align: "M4 6h16M4 10h9M4 14h16M4 18h9",
  caseSensitive: "M3 18l4.5-12L12 18M4.5 14h6M20 12v6M20 15a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0z",
  regexp: "M6 18h.01M14 5v9M10 7.2l8 4.6M18 7.2l-8 4.6",
  wholeWord: "M3 16v3h18v-3M6 12a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0zM11 9.5V15M14 5v10M14 12a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0z",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
  history: "M4 12a8.2 8.2 0 1 0 2.6-6L4 8.2M4 4v4.2h4.2M12 8v4.2l3 1.8",
  forward: "M9 5l7 7-7 7",
  overview: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  speaker: "M4 5h16v10H4zM8 19h8M12 15v4M8 9h4M8 12h7",
  share: "M10 13.5a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM20 6a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM20 18.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM9.5 12l5-4M9.7 14.8l5.4 2.6",
  people: "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19.5c.5-4 3-5.5 6.5-5.5s6 1.5 6.5 5.5M15.5 4.8a3.5 3.5 0 0 1 0 6.4M18 14.6c2 .7 3.2 2.2 3.5 4.9",
  folder: "M3.5 18.5v-13h6l2 2.5h9v10.5z",
  file: "M6 3.5h8l4 4v13H6zM14 3.5v4h4",
  text: "M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12h6M9 16h4",
  picture: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9h.01",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
  plus: "M12 5v14M5 12h14",
  upload: "M12 15.5V4M7.5 8.5L12 4l4.5 4.5M5 20h14",
  pencil: "M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM14 6.5l3.5 3.5",
  move: "M3.5 18.5v-13h6l2 2.5h9v10.5zM8.5 13.2h6.5M12.5 10.7l2.5 2.5-2.5 2.5",
  copy: "M9 9h11v11H9zM5.5 15H4V4h11v1.5",
  restore: "M4 9h10a5.5 5.5 0 0 1 0 11H8M8 5L4 9l4 4",
  check: "M5 12.5l4.5 4.5L19 7",
  above: "M4 13h16v7H4zM12 3v7M8.5 6.5h7",
  below: "M4 4h16v7H4zM12 14v7M8.5 17.5h7",
  splitCell: "M4 9V4h16v5M4 15v5h16v-5M3 12h3M10.5 12h3M18 12h3",
  mergeCells: "M4 4h16v16H4zM12 6.5v4M9.8 8.8L12 11l2.2-2.2M12 17.5v-4M9.8 15.2L12 13l2.2 2.2",
  notebook: "M6 3.5h12.5v17H6zM9.5 3.5v17M3.5 8h4M3.5 12h4M3.5 16h4M12.5 8h3.5M12.5 11.5h3.5",
  leave: "M14 4.5H5v15h9M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5",
  tag: "M4 4h8l8.5 8.5-8 8L4 12zM8 8h.01",
} as const;

export type Icon = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** A picture that says nothing to screen readers: whatever holds it needs a name. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
