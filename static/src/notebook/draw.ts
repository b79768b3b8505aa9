/** What a cell put out, as elements: sanitised, in no case run. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { bytes } from "../base/show.ts";
import { dressed } from "../preview/dress.ts";
import type { Drawing } from "../preview/drawings.ts";
import { laterFormula } from "../preview/formulas.ts";
import { quiet } from "../preview/quiet.ts";
import { reach } from "../preview/reach.ts";
import { runs, type Color, type Run } from "./ansi.ts";
import { chosen, formulaIn, hasPrograms, joined, pictureOf, type Choice, type Output } from "./outputs.ts";
import { rendering } from "./render.ts";

/** Lines beyond which an output is folded, and those that are shown of it then. */
const LONG = 60;
const FEW = 24;
/** Characters that are shown of one output, and of one line while it is folded; more nobody reads on a page. */
const MOST = 1_000_000;
const WIDE = 4000;
/** Characters of markup that are shown without asking. */
const HEAVY = 400_000;
/** Runs of letters that are coloured. */
const COLORED = 20_000;

export interface Drawn {
  /** The document's folder. */
  folder: string;
  /** The numbers of outputs that are wanted whole. */
  unfolded: Set<number>;
  /** Draw the outputs anew. */
  again(): void;
}

/** The elements of these outputs. */
export const drawn = (outputs: readonly Output[], drawing: Drawn): HTMLElement[] => outputs.map((output, index) => one(output, index, drawing));

function one(output: Output, index: number, drawing: Drawn): HTMLElement {
  const made = element("div", { class: `nb-output nb-${output.kind}` });
  if (output.kind === "stream") {
    made.classList.toggle("nb-stderr", output.error);
    made.append(...text(output.text, index, drawing));
  } else if (output.kind === "error") made.append(...text(output.text, index, drawing));
  else if (output.kind === "unknown") made.append(note(t("notebook.output.unknown", { name: output.name || "?" })));
  else made.append(...bundle(output, index, drawing));
  for (const wide of made.querySelectorAll<HTMLElement>("pre, .md-sheet")) requestAnimationFrame(() => reach(wide, t("notebook.output", { n: index + 1 })));
  return made;
}

const note = (words: string): HTMLElement => element("p", { class: "nb-note" }, words);

function bundle({ data, metadata }: Extract<Output, { kind: "data" }>, index: number, drawing: Drawn): HTMLElement[] {
  const without = new Set<string>();
  let live = false;
  // What is empty without its programs is no representation: the next one may be.
  for (;;) {
    const choice = chosen(data, without);
    live ||= choice?.live === true;
    if (choice === null || choice.type === "") return [note(t(live ? "notebook.output.live" : "notebook.output.empty"))];
    live ||= choice.type === "text/html" && hasPrograms(joined(choice.value));
    const made = represented(choice, index, drawing, metadata);
    if (made !== null) return live ? [...made, note(t("notebook.output.live"))] : made;
    without.add(choice.type);
  }
}

/** Null when there is nothing to be seen. */
function represented({ type, value }: Choice, index: number, drawing: Drawn, metadata: unknown): HTMLElement[] | null {
  if (type === "text/html") return html(joined(value), index, drawing);
  if (type === "text/markdown") return [markdown(joined(value), drawing.folder)];
  if (type === "text/latex") return [latex(joined(value), drawing.folder)];
  if (type === "text/plain") return text(joined(value), index, drawing);
  if (type.startsWith("image/")) return picture(type, value, metadata);
  if (/[/+]json$/.test(type)) return [...(type === "application/json" ? [] : [note(t("notebook.output.type", { type }))]), ...text(JSON.stringify(value, null, 2) ?? "", index, drawing)];
  return [note(t("notebook.output.type", { type }))];
}

function html(markup: string, index: number, drawing: Drawn): HTMLElement[] | null {
  if (markup.length > HEAVY && !drawing.unfolded.has(index)) return [unfolding(t("notebook.output.heavy", { size: bytes(markup.length) }), index, drawing)];
  const made = element("div", { class: "md-sheet nb-html" });
  const drawings: Drawing[] = [];
  made.append(dressed(quiet(markup), { folder: drawing.folder, readOnly: true, drawing: (each) => drawings.push(each) }));
  if (made.textContent.trim() === "" && made.querySelector("img, table, hr") === null) return null;
  for (const each of drawings) if (!each.now()) requestAnimationFrame(() => void each.later());
  return [made];
}

function markdown(source: string, folder: string): HTMLElement {
  const made = element("div", { class: "md-sheet" });
  void rendering(made, source, { folder });
  return made;
}

function latex(source: string, folder: string): HTMLElement {
  const formula = formulaIn(source);
  if (formula === null) return markdown(source, folder);
  const made = element("div", { class: formula.display ? "md-display" : "md-formula" }, source);
  void laterFormula(made, formula.source, formula.display).then(() => reach(made, t("preview.formula")));
  return element("div", { class: "md-sheet" }, made);
}

function picture(type: string, value: unknown, metadata: unknown): HTMLElement[] | null {
  const address = pictureOf(type, value);
  if (address === null) return null;
  const made = element("img", { class: "nb-picture", alt: t("notebook.output.picture"), loading: "lazy", decoding: "async", ...sizeIn(metadata, type) });
  made.addEventListener("error", () => made.replaceWith(note(t("notebook.output.broken", { type }))), { once: true });
  made.src = address;
  return [made];
}

/** The size in which a program wants its picture to be seen. */
function sizeIn(metadata: unknown, type: string): Record<string, string> {
  const said = typeof metadata === "object" && metadata !== null ? (metadata as Record<string, unknown>) : {};
  const of = (typeof said[type] === "object" && said[type] !== null ? said[type] : said) as Record<string, unknown>;
  const sizes = ["width", "height"].flatMap((name) => {
    const size = of[name];
    return typeof size === "number" && size >= 1 && size <= 9999 ? [[name, String(Math.round(size))] as const] : [];
  });
  return Object.fromEntries(sizes);
}

function text(given: string, index: number, drawing: Drawn): HTMLElement[] {
  const whole = given.replace(/\n$/, "");
  const lines = whole.split("\n", LONG + 2).length;
  const folds = (lines > LONG || whole.length > WIDE * FEW) && !drawing.unfolded.has(index);
  if (!folds) return [lettered(whole.slice(0, MOST)), ...(whole.length > MOST ? [note(t("notebook.output.cut", { size: bytes(whole.length) }))] : [])];
  const start = whole.split("\n", FEW).join("\n").slice(0, WIDE * FEW);
  const all = whole.split("\n").length;
  return [lettered(start), unfolding(t("notebook.output.unfold", { n: all }), index, drawing)];
}

function unfolding(label: string, index: number, drawing: Drawn): HTMLElement {
  return button(label, () => {
    drawing.unfolded.add(index);
    drawing.again();
  }, "quiet nb-unfold");
}

function lettered(words: string): HTMLElement {
  const made = element("pre", { class: "nb-text" });
  const all = runs(words);
  made.append(...all.slice(0, COLORED).map(letters));
  if (all.length > COLORED) made.append(all.slice(COLORED).map((run) => run.text).join(""));
  return made;
}

function letters(run: Run): HTMLElement | string {
  const { ink, paper, bold, faint, italic, underline, strike, text: words } = run;
  const classes = Object.entries({ bold, faint, italic, underline, strike }).flatMap(([name, on]) => (on ? [`ansi-${name}`] : []));
  if (typeof ink === "number") classes.push(`ansi-${ink}`);
  if (typeof paper === "number") classes.push(`ansi-on-${paper}`);
  if (classes.length === 0 && typeof ink !== "string" && typeof paper !== "string") return words;
  const made = element("span", { class: classes.join(" ") }, words);
  colored(made, "color", ink);
  colored(made, "background-color", paper);
  return made;
}

function colored(made: HTMLElement, property: string, color: Color): void {
  if (typeof color === "string") made.style.setProperty(property, color);
}
