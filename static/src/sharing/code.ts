/** A link as a picture that phones read (ISO/IEC 18004). */

import { generate } from "lean-qr";

const SVG = "http://www.w3.org/2000/svg";
/** Light modules around it: fewer are not read. */
const QUIET = 4;

/** The picture, dark on light whatever the theme: many readers take no other. */
export function codeOf(address: string, label: string): SVGSVGElement {
  const code = generate(address);
  const side = code.size + 2 * QUIET;
  const picture = make("svg", { viewBox: `0 0 ${side} ${side}`, role: "img", "aria-label": label, class: "code", "shape-rendering": "crispEdges" });
  const rows = Array.from({ length: code.size }, (_, y) => row(y, code.size, (x) => code.get(x, y)));
  picture.append(make("rect", { width: String(side), height: String(side), fill: "#fff" }), make("path", { d: rows.join(""), fill: "#000" }));
  return picture;
}

/** Neighbouring dark modules as one stroke. */
function row(y: number, size: number, dark: (x: number) => boolean): string {
  let path = "";
  for (let x = 0; x < size; x += 1) {
    const from = x;
    while (x < size && dark(x)) x += 1;
    if (x > from) path += `M${from + QUIET} ${y + QUIET}h${x - from}v1h${from - x}z`;
  }
  return path;
}

function make<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string>>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
