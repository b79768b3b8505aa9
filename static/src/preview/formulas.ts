/** Formulas, set by KaTeX as elements: no markup, no links, nothing that is larger than the page. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { Recent } from "./recent.ts";

/** KaTeX's own tree of what it is going to draw. */
interface Node_ {
  attributes?: Record<string, string>;
  children?: Node_[];
  toNode(): Node;
}
interface Katex {
  __renderToDomTree(source: string, options: object): Node_;
}

const OPTIONS = { trust: false, maxExpand: 1000, maxSize: 20, throwOnError: true, strict: "ignore", output: "htmlAndMathml" } as const;
const CHEMISTRY = /\\(?:ce|pu)\s*\{/;

let katex: Katex | null = null;
let chemistry = false;
const set = new Recent<Node>(500);

/** Whether this formula can be set without waiting. */
export const canSet = (source: string): boolean => katex !== null && (chemistry || !CHEMISTRY.test(source));

export async function loadFor(source: string): Promise<void> {
  const [library] = await Promise.all([import("katex"), import("katex/dist/katex.min.css")]);
  if (CHEMISTRY.test(source)) {
    await import("katex/contrib/mhchem");
    chemistry = true;
  }
  katex = library as unknown as Katex;
}

/** Set the formula into its place; what is wrong with it is said there in words. */
export function setFormula(place: HTMLElement, source: string, display: boolean): void {
  const key = `${display ? "$$" : "$"}${source}`;
  try {
    const known = set.get(key) ?? set.set(key, made(source, display));
    place.replaceChildren(known.cloneNode(true));
    place.classList.remove("md-wrong");
  } catch (error) {
    const said = t("preview.formulaWrong", { error: plainly(error) });
    place.replaceChildren(element("code", {}, source), element("span", { class: "md-fault", role: "note" }, said));
    place.classList.add("md-wrong");
  }
}

/** Set the formula of this source once KaTeX is there. */
export async function laterFormula(place: HTMLElement, source: string, display: boolean): Promise<void> {
  try {
    await loadFor(source);
    setFormula(place, source, display);
  } catch {
    place.append(element("span", { class: "md-fault", role: "note" }, t("preview.notLoaded")));
  }
}

function made(source: string, displayMode: boolean): Node {
  if (katex === null) throw new Error("KaTeX is not loaded");
  const tree = katex.__renderToDomTree(source, { ...OPTIONS, displayMode });
  styled(tree);
  const holder = displayMode ? element("span", { class: "katex-display" }) : null;
  const node = tree.toNode();
  holder?.append(node);
  return holder ?? node;
}

/** The page's policy forbids style attributes; the same styles as properties are allowed. */
function styled(node: Node_): void {
  const { style, ...others } = node.attributes ?? {};
  if (style !== undefined) {
    node.attributes = others;
    const make = node.toNode.bind(node);
    node.toNode = () => {
      const drawn = make();
      if (drawn instanceof HTMLElement || drawn instanceof SVGElement || drawn instanceof MathMLElement) drawn.style.cssText = style;
      return drawn;
    };
  }
  node.children?.forEach(styled);
}

function plainly(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^KaTeX parse error: /, "");
}
