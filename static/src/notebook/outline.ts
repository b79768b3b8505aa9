/** The headings of all text cells, to jump to. */

import "../styles/outline.css";
import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { headings } from "../editor/headings.ts";
import { plain } from "../editor/text.ts";
import { slugOf } from "../preview/headings.ts";
import type { CellView } from "./cell.ts";
import type { NotebookPage } from "./page.ts";

/** Milliseconds of rest before the headings are read again. */
const PAUSE = 300;
/** Headings beyond which nobody looks for one in a list. */
const MOST = 1000;
const NARROW = matchMedia("(max-width: 59.99rem)");

interface Entry {
  view: CellView;
  text: string;
  level: number;
  /** Of the headings of its cell, from 0. */
  nth: number;
}

/** The headings of the notebook as it is. */
export function entries({ list }: Pick<NotebookPage, "list">): Entry[] {
  return list.views.flatMap((view) => {
    if (view.type !== "markdown" || view.text === null) return [];
    return headings(plain(view.text).split("\n")).map(({ text, level }, nth) => ({ view, text, level, nth }));
  });
}

class Outline {
  private readonly rows = element("div", { class: "headings" });
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly parent: HTMLElement,
    private readonly page: NotebookPage,
  ) {
    const close = button("", () => this.close(), "pic");
    close.append(icon("close"));
    close.setAttribute("aria-label", t("common.close"));
    parent.replaceChildren(element("header", {}, element("h2", {}, t("editor.outline")), close), this.rows);
    parent.addEventListener("keydown", (event) => this.key(event));
    page.watch(() => {
      if (!this.shown) return;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.draw(), PAUSE);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (this.shown && NARROW.matches && target instanceof Node && !parent.contains(target)) this.close();
    });
  }

  get shown(): boolean {
    return !this.parent.hidden;
  }

  open(): void {
    this.parent.hidden = false;
    this.draw();
    this.parent.querySelector("button")?.focus();
  }

  close(): void {
    const focused = this.parent.contains(document.activeElement);
    this.parent.hidden = true;
    if (focused) this.page.focus();
  }

  private draw(): void {
    const found = entries(this.page).slice(0, MOST);
    const root = element("ul");
    const open: { level: number; list: HTMLElement; item: HTMLElement | null }[] = [{ level: 0, list: root, item: null }];
    for (const entry of found) {
      while (open.length > 1 && (open.at(-1)?.level ?? 0) > entry.level) open.pop();
      let last = open.at(-1);
      if (last !== undefined && last.item !== null && last.level < entry.level) {
        const list = element("ul");
        last.item.append(list);
        open.push((last = { level: entry.level, list, item: null }));
      }
      if (last === undefined) continue;
      last.item = element("li", {}, button(entry.text || t("editor.outline.untitled"), () => this.go(entry), "heading"));
      last.level = entry.level;
      last.list.append(last.item);
    }
    this.rows.replaceChildren(found.length === 0 ? element("p", {}, t("notebook.outline.empty")) : root);
  }

  private go(entry: Entry): void {
    if (NARROW.matches) this.parent.hidden = true;
    go(this.page, entry);
  }

  private key(event: KeyboardEvent): void {
    const rows = [...this.parent.querySelectorAll("button")];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === "Escape") this.close();
    else if (to !== undefined) rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
    else return;
    event.preventDefault();
  }
}

/** Choose the cell of a heading, which comes to the top. */
function go(page: NotebookPage, { view, nth }: Entry): void {
  page.choose(view, { scroll: false });
  view.dom.scrollIntoView({ block: "start" });
  // What is drawn only now is somewhere else by then.
  requestAnimationFrame(() => {
    const shown = [...view.dom.querySelectorAll(".md-sheet :is(h1, h2, h3, h4, h5, h6)")][nth];
    (shown ?? view.dom).scrollIntoView({ block: "start" });
  });
}

/** The heading that an address names: "#My-Heading" as Jupyter writes it, "#my-heading" as others do. */
export function goToHeading(page: NotebookPage, hash: string): void {
  const wanted = slugOf(decoded(hash.slice(1)).replaceAll("-", " "));
  const found = entries(page).find(({ text }) => slugOf(text.replaceAll("-", " ")) === wanted);
  if (found !== undefined) go(page, found);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let made: Outline | null = null;

/** Show the outline, or put it away. */
export function toggleOutline(page: NotebookPage): void {
  made ??= new Outline(part("outline"), page);
  if (made.shown) made.close();
  else made.open();
}
