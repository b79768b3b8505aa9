/** From an author's markup to elements: sanitised, with addresses for links and pictures, boxes to tick, and what is to be drawn. */

import { contentAddress, editAddress, lease } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { address } from "../base/page.ts";
import { viewOnly } from "../base/viewing.ts";
import { boxes, nameBox } from "./boxes.ts";
import { colourLater, colourNow } from "./code.ts";
import type { Drawing } from "./drawings.ts";
import { draw, figure } from "./figures.ts";
import { canSet, laterFormula, setFormula } from "./formulas.ts";
import { ATTRIBUTE, hookIn, type Kind } from "./hooks.ts";
import { isAttached, target, type Target } from "./links.ts";
import { picture } from "./pictures.ts";
import { reach } from "./reach.ts";
import { MARK, PREFIX, sanitised } from "./sanitise.ts";

export interface Setting {
  /** Of the document: where its links start. */
  folder: string;
  readOnly: boolean;
  /** The address of a picture that is inside of the document, by its name; null when there is none. */
  attached?: (name: string) => string | null;
  /** Called for each thing that is to be drawn. */
  drawing(drawing: Drawing): void;
}

/** Sources of the diagrams that are shown. */
export const diagrams = new WeakMap<Element, string>();

type Dresser = (found: HTMLElement, words: readonly string[], setting: Setting) => void;

const LABELS = { author: "preview.author", date: "preview.date", keywords: "preview.keywords" } as const;

const DRESSERS: Readonly<Record<Kind, Dresser>> = {
  heading,
  task: box,
  formula: (found, _words, setting) => formula(found, false, setting),
  display: (found, _words, setting) => formula(found, true, setting),
  code,
  diagram,
  label: (found, [name = ""]) => (found.textContent = Object.hasOwn(LABELS, name) ? t(LABELS[name as keyof typeof LABELS]) : name),
  footnote: (found, [number = ""]) => named(found, "md-ref", t("preview.footnote", { number })),
  footnotes: (found) => named(found, "md-footnotes", t("preview.footnotes")),
  back: (found, [number = ""]) => named(found, "md-back", t("preview.backToText", { number })),
  wrong: (found, [error = ""]) => (found.textContent = t("preview.matterWrong", { error })),
  title: (found) => found.classList.add("md-title"),
  more: (found) => found.classList.add("md-more"),
  matter: (found) => found.classList.add("md-matter"),
  toc: (found, levels) => {
    found.setAttribute("role", "navigation");
    named(found, "md-toc", t("preview.contents"));
    found.querySelectorAll("li").forEach((item, index) => item.classList.add(`md-level-${Math.min(3, Number(levels[index] ?? 0))}`));
  },
};

function named(found: HTMLElement, looks: string, name: string): void {
  found.classList.add(looks);
  found.setAttribute("aria-label", name);
}

/** The elements of one block. */
export function dressed(markup: string, setting: Setting): DocumentFragment {
  const inert = sanitised(markup);
  // Still in a document of its own, where nothing loads.
  const sources = new Map([...inert.querySelectorAll("img")].map((image) => [image, image.getAttribute("src") ?? ""]));
  for (const image of sources.keys()) image.removeAttribute("src");
  const fragment = document.adoptNode(inert);
  for (const [image, src] of sources) image.replaceWith(picture(image, src, setting));
  for (const link of fragment.querySelectorAll<HTMLElement>("a[href]")) leadTo(link, target(link.getAttribute("href") ?? "", setting.folder));
  for (const table of fragment.querySelectorAll("table")) if (table.parentElement?.closest("table") == null) scrolling(table, setting);
  for (const found of fragment.querySelectorAll<HTMLElement>(`[${ATTRIBUTE}]`)) {
    const hook = hookIn(MARK, found.getAttribute(ATTRIBUTE) ?? "");
    found.removeAttribute(ATTRIBUTE);
    if (hook !== null) DRESSERS[hook.kind](found, hook.words, setting);
  }
  return fragment;
}

function leadTo(link: HTMLElement, to: Target): void {
  const href = addressOf(to);
  link.removeAttribute("target");
  if (href === null) return link.removeAttribute("href");
  link.setAttribute("href", href);
  const leaves = to.kind === "outside";
  // A page in a frame of another site has no cookie for the next.
  if (!leaves && !(lease !== null && (to.kind === "document" || to.kind === "folder"))) return;
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", "noopener noreferrer");
  if (leaves) link.classList.add("md-outside");
  link.append(element("span", { class: "away" }, ` (${t("preview.newTab")})`));
}

function addressOf(to: Target): string | null {
  if (to.kind === "document" && isAttached(to.path)) return contentAddress(to.path);
  if (to.kind === "document") return editAddress(to.path) + (to.anchor === "" ? "" : `#${encodeURIComponent(to.anchor)}`);
  if (to.kind === "folder") return address.files(to.path);
  if (to.kind === "outside" || to.kind === "mail") return to.url;
  return to.kind === "anchor" ? `#${encodeURIComponent(to.id)}` : null;
}

/** Its anchor stands beside it, so that it is no part of what the heading is called. */
function heading(found: HTMLElement): void {
  const id = found.id.slice(PREFIX.length);
  const label = t("preview.anchor", { heading: found.textContent });
  const holder = element("div", { class: "md-heading" });
  found.replaceWith(holder);
  holder.append(found, element("a", { class: "md-anchor", href: `#${encodeURIComponent(id)}`, "aria-label": label }));
}

function box(found: HTMLElement, [line = "0", ticked = ""]: readonly string[], { readOnly }: Setting): void {
  const made = element("input", { type: "checkbox", class: "md-box", checked: ticked !== "", disabled: readOnly });
  nameBox(made, found);
  boxes.set(made, Number(line));
  found.closest("li")?.classList.add("md-task");
  found.replaceWith(made);
}

function formula(found: HTMLElement, display: boolean, { drawing }: Setting): void {
  const source = found.textContent;
  found.classList.add(found instanceof HTMLDivElement ? "md-display" : "md-formula");
  drawing({
    now: () => {
      if (!canSet(source)) return false;
      setFormula(found, source, display);
      if (display) reach(found, t("preview.formula"));
      return true;
    },
    later: async () => {
      await laterFormula(found, source, display);
      if (display) reach(found, t("preview.formula"));
    },
  });
}

function code(found: HTMLElement, [language = ""]: readonly string[], { drawing }: Setting): void {
  const place = found.querySelector("code") ?? found;
  const text = place.textContent.replace(/\n$/, "");
  place.textContent = text;
  const holder = element("div", { class: "md-code" });
  found.replaceWith(holder);
  holder.append(found, ...(viewOnly ? [] : [copier(place)]));
  reachable(found, language === "" ? t("preview.code") : t("preview.codeIn", { language }), drawing);
  if (language !== "") drawing({ now: () => colourNow(place, text, language), later: () => colourLater(place, text, language) });
}

function copier(place: HTMLElement): HTMLButtonElement {
  const made = button(t("common.copy"), () => void copy(place.textContent).then((done) => said(made, done)), "md-copy");
  return made;
}

function said(copying: HTMLButtonElement, done: boolean): void {
  copying.textContent = t(done ? "preview.copied" : "preview.notCopied");
  copying.setAttribute("aria-live", "polite");
  setTimeout(() => (copying.textContent = t("common.copy")), 2000);
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not over plain HTTP, and not in every frame.
    return copiedBySelection(text);
  }
}

function copiedBySelection(text: string): boolean {
  const field = element("textarea", { class: "away", "aria-hidden": "true" });
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return done;
}

function diagram(found: HTMLElement, _words: readonly string[], { drawing }: Setting): void {
  const source = found.textContent.trim();
  const made = figure(source);
  diagrams.set(made, source);
  found.replaceWith(made);
  drawing({ now: () => false, later: () => draw(made, source, !made.isConnected) });
}

/** Wide tables scroll in a frame of their own. */
function scrolling(table: HTMLTableElement, { drawing }: Setting): void {
  const holder = element("div", { class: "md-scroll" });
  table.replaceWith(holder);
  holder.append(table);
  reachable(holder, t("preview.table"), drawing);
}

function reachable(wide: HTMLElement, name: string, drawing: Setting["drawing"]): void {
  drawing({ now: () => false, later: async () => reach(wide, name), minor: true });
}
