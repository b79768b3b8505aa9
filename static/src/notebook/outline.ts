/** The headings of all text cells, to jump to. */

import { button, element, part } from "../base/dom.ts";
import { frame, named, NARROW, nested } from "../base/headings.ts";
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
    frame(parent, this.rows, () => this.close());
    page.watch(() => {
      if (!this.shown) return;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.draw(), PAUSE);
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
    const rows = found.map((entry) => ({ level: entry.level, row: button(named(entry.text), () => this.go(entry), "heading") }));
    this.rows.replaceChildren(rows.length === 0 ? element("p", {}, t("notebook.outline.empty")) : nested(rows));
  }

  private go(entry: Entry): void {
    if (NARROW.matches) this.parent.hidden = true;
    go(this.page, entry);
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
