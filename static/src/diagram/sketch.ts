/** Draws diagrams with Mermaid, inside the frame that has no origin: whatever a source talks the program into stays there. */

import DOMPurify from "dompurify";
import mermaid from "mermaid";

import { colors } from "./colors.ts";
import { LONGEST } from "./faults.ts";
import type { Order, Picture } from "./talk.ts";

const ID = "diagram";
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';
/** Mends Mermaid: labels of mind maps that begin in the middle of their node, and events too pale to be told from the paper. */
const MENDED = '.mindmap-node .label[transform^="translate(0,"] text { text-anchor: middle; } .eventWrapper { filter: none; }';
const SVG = "http://www.w3.org/2000/svg";

/** Settings that no source changes. */
const OURS = [
  ...["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering"],
  ...["htmlLabels", "fontFamily", "themeCSS", "deterministicIds"],
];

let dressed: boolean | null = null;

function dress(dark: boolean): void {
  if (dressed === dark) return;
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    // HTML inside of an SVG image has no place to be laid out in by all browsers.
    htmlLabels: false,
    secure: OURS,
    maxTextSize: LONGEST,
    maxEdges: 500,
    deterministicIds: true,
    deterministicIDSeed: "collab",
    handDrawnSeed: 1,
    fontFamily: FONT,
    theme: "base",
    themeCSS: MENDED,
    themeVariables: { ...colors(dark), fontFamily: FONT },
    gantt: { useWidth: 800, barHeight: 24, fontSize: 13, sectionFontSize: 14, leftPadding: 90 },
  });
  dressed = dark;
}

/** The same source shall give the same picture; Mermaid throws dice for the names of commits and for the places of nodes. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The picture of a source; rejects with Mermaid's own error. */
export async function sketch({ source, dark }: Order): Promise<Picture> {
  dress(dark);
  if (source.length > LONGEST) throw new Error("the source is too long");
  Math.random = seeded();
  const { svg } = await mermaid.render(ID, xml(source));
  const root = DOMPurify.sanitize(svg, { RETURN_DOM_FRAGMENT: true, ADD_ATTR: ["dominant-baseline"] }).querySelector("svg");
  if (root === null) throw new Error("nothing was drawn");
  const { width, height } = size(root);
  const picture = { svg: new XMLSerializer().serializeToString(root), width, height, title: title(root) };
  await check(picture.svg);
  return picture;
}

/** Without what no XML document can hold. */
function xml(source: string): string {
  return source.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu, "\uFFFD");
}

/** Gives the picture the size that it was drawn in: an image has no other. */
function size(root: SVGSVGElement): { width: number; height: number } {
  const box = (root.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
  const width = Math.ceil(box[2] || Number.parseFloat(root.getAttribute("width") ?? "") || 300);
  const height = Math.ceil(box[3] || Number.parseFloat(root.getAttribute("height") ?? "") || 150);
  root.removeAttribute("style");
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height })) root.setAttribute(name, String(value));
  if (box.length !== 4) root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { width, height };
}

/** What the author says of the picture: for those who do not see it, else its headline. */
function title(root: SVGSVGElement): string {
  const said = [":scope > title", ":scope > desc"].map((path) => words(root.querySelector(path)));
  const told = said.filter((each) => each !== "").join(": ");
  return told || words(root.querySelector('[class$="itleText"]'));
}

const words = (found: Element | null): string => (found?.textContent ?? "").replace(/\s+/g, " ").trim();

/** Rejects when a browser does not take this text for an image. */
async function check(svg: string): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode().catch(() => {
    throw new Error("what was drawn is no image");
  });
}

