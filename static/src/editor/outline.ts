/** The headings of the document, to jump to. */

import { EditorView } from "@codemirror/view";

import { button, element, part } from "../base/dom.ts";
import { frame, named, NARROW, nested } from "../base/headings.ts";
import { t } from "../base/messages.ts";
import type { Desk } from "./desk.ts";
import type { Heading } from "./headings.ts";
import { Rest } from "./rest.ts";
import { Sections } from "./sections.ts";

/** Milliseconds of rest before the headings are read again. */
const PAUSE = 300;
/** Headings beyond which nobody looks for one in a list. */
const MOST = 3000;
/** How far down the screen one reads. */
const READ = 0.2;

/** What the outline needs of the page's views. */
export interface Views {
  readonly mode: string;
  reveal(offset: number): void;
  elementAt(offset: number): HTMLElement | null;
}

class Outline {
  private readonly rest = new Rest();
  private readonly list = element("div", { class: "headings" });
  private readonly sections: Sections;
  private headings: readonly Heading[] = [];
  private buttons: HTMLButtonElement[] = [];
  private frame = 0;
  /** Just opened: the focus goes to the heading where one is, as soon as it is known. */
  private entering = false;
  /** What one went to last: it stays the current one while it is on the screen, wherever there. */
  private chosen: number | null = null;

  constructor(
    private readonly parent: HTMLElement,
    private readonly desk: Desk,
    private readonly views: Views,
  ) {
    frame(parent, this.list, () => this.close());
    this.sections = new Sections(desk.view.state.doc);
    desk.watch(({ docChanged, selectionSet, state, changes }) => {
      if (docChanged) this.sections.change(state.doc, changes);
      if (docChanged && this.shown) this.read(PAUSE);
      if (selectionSet && this.shown) this.markSoon();
    });
    const scrolled = (): void => this.markSoon();
    desk.view.scrollDOM.addEventListener("scroll", scrolled, { passive: true });
    part("preview").addEventListener("scroll", scrolled, { passive: true });
  }

  get shown(): boolean {
    return !this.parent.hidden;
  }

  open(): void {
    this.parent.hidden = false;
    this.entering = true;
    this.parent.querySelector("button")?.focus();
    this.read(0);
  }

  close(): void {
    const focused = this.parent.contains(document.activeElement);
    this.parent.hidden = true;
    this.rest.stop();
    if (!focused) return;
    if (this.views.mode === "preview") part("more").focus();
    else this.desk.view.focus();
  }

  private read(pause: number): void {
    const outline = this;
    this.rest.begin(pause, function* () {
      outline.show((yield* outline.sections.read()).slice(0, MOST));
    });
  }

  private show(headings: readonly Heading[]): void {
    const before = this.headings;
    if (headings.length !== before.length) this.chosen = null;
    this.headings = headings;
    if (headings.length > 0 && headings.length === before.length && headings.every(({ level }, at) => level === before[at]?.level)) this.rename();
    else this.draw();
    this.markSoon();
  }

  private rename(): void {
    for (const [at, { text }] of this.headings.entries()) {
      const row = this.buttons[at];
      if (row !== undefined && row.textContent !== named(text)) row.textContent = named(text);
    }
  }

  private draw(): void {
    const rows = this.headings.map(({ text, level }, at) => ({ level, row: button(named(text), () => this.go(at), "heading") }));
    this.buttons = rows.map(({ row }) => row);
    this.list.replaceChildren(rows.length === 0 ? element("p", {}, t("editor.outline.empty")) : nested(rows));
  }

  private go(at: number): void {
    const { view } = this.desk;
    const from = this.offsetOf(at);
    view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "start", yMargin: 16 }) });
    const reading = this.views.mode === "preview";
    if (reading) this.views.reveal(from);
    if (NARROW.matches) this.close();
    else if (!reading) view.focus();
    this.chosen = at;
    this.mark(at);
  }

  private markSoon(): void {
    if (!this.shown) return;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.chosen !== null && !this.onScreen(this.chosen)) this.chosen = null;
      const current = this.chosen ?? this.current();
      this.mark(current);
      if (this.entering && this.parent.contains(document.activeElement)) this.buttons[Math.max(0, current)]?.focus();
      this.entering = false;
    });
  }

  private mark(current: number): void {
    for (const [at, row] of this.buttons.entries()) {
      if (at === current && !row.hasAttribute("aria-current")) {
        row.setAttribute("aria-current", "location");
        row.scrollIntoView({ block: "nearest" });
      } else if (at !== current && row.hasAttribute("aria-current")) row.removeAttribute("aria-current");
    }
  }

  /** The heading under which stands what one reads. */
  private current(): number {
    if (this.views.mode === "preview") return this.currentRead();
    const { view } = this.desk;
    const { scrollTop, scrollHeight, clientHeight } = view.scrollDOM;
    const top = view.lineBlockAtHeight(scrollTop + clientHeight * READ - view.documentPadding.top).from;
    // At the end no heading can come to the top any more: then the caret tells where one is.
    const end = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
    const line = view.state.doc.lineAt(end ? Math.max(top, view.state.selection.main.head) : top).number;
    return this.headings.findLastIndex((heading) => heading.line <= line);
  }

  private onScreen(at: number): boolean {
    const offset = this.offsetOf(at);
    if (this.views.mode === "preview") {
      const frame = part("preview").getBoundingClientRect();
      const seen = this.views.elementAt(offset)?.getBoundingClientRect();
      return seen !== undefined && seen.bottom > frame.top && seen.top < frame.bottom;
    }
    const { view } = this.desk;
    const below = view.lineBlockAt(offset).top + view.documentPadding.top - view.scrollDOM.scrollTop;
    return below >= -1 && below < view.scrollDOM.clientHeight;
  }

  private offsetOf(at: number): number {
    const { doc } = this.desk.view.state;
    return doc.line(Math.min(this.headings[at]?.line ?? 1, doc.lines)).from;
  }

  /** The same in the preview: the headings come one below the other. */
  private currentRead(): number {
    const { top, height } = part("preview").getBoundingClientRect();
    let [low, high] = [0, this.headings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const seen = this.views.elementAt(this.offsetOf(middle))?.getBoundingClientRect().top ?? Number.POSITIVE_INFINITY;
      if (seen <= top + height * READ) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

let made: Outline | null = null;

/** Show the outline, or put it away. */
export function toggleOutline(desk: Desk, views: Views): void {
  made ??= new Outline(part("outline"), desk, views);
  if (made.shown) made.close();
  else made.open();
}
