/** The headings of the document, to jump to. */

import { EditorView } from "@codemirror/view";

import "../styles/outline.css";
import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
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
/** With less room than this the outline lies over the text. */
const NARROW = matchMedia("(max-width: 59.99rem)");

class Outline {
  private readonly rest = new Rest();
  private readonly list = element("div", { class: "headings" });
  private readonly sections: Sections;
  private headings: readonly Heading[] = [];
  private buttons: HTMLButtonElement[] = [];
  private frame = 0;
  /** Just opened: the focus goes to the heading where one is, as soon as it is known. */
  private entering = false;

  constructor(
    private readonly parent: HTMLElement,
    private readonly desk: Desk,
  ) {
    const close = button("", () => this.close(), "pic");
    close.append(icon("close"));
    close.setAttribute("aria-label", t("common.close"));
    parent.replaceChildren(element("header", {}, element("h2", {}, t("editor.outline")), close), this.list);
    parent.addEventListener("keydown", (event) => this.key(event));
    this.sections = new Sections(desk.view.state.doc);
    desk.watch(({ docChanged, selectionSet, state, changes }) => {
      if (docChanged) this.sections.change(state.doc, changes);
      if (docChanged && this.shown) this.read(PAUSE);
      if (selectionSet && this.shown) this.markSoon();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (this.shown && NARROW.matches && target instanceof Node && !parent.contains(target)) this.close();
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
    if (document.body.dataset["mode"] === "preview") part("more").focus();
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
    this.buttons = this.headings.map(({ text }, at) => button(named(text), () => this.go(at), "heading"));
    const root = element("ul");
    const open: { level: number; list: HTMLElement; item: HTMLElement | null }[] = [{ level: 0, list: root, item: null }];
    for (const [at, { level }] of this.headings.entries()) {
      while (open.length > 1 && (open.at(-1)?.level ?? 0) > level) open.pop();
      let last = open.at(-1);
      if (last !== undefined && last.item !== null && last.level < level) {
        const list = element("ul");
        last.item.append(list);
        open.push((last = { level, list, item: null }));
      }
      if (last === undefined) continue;
      last.item = element("li", {}, this.buttons[at] ?? null);
      last.level = level;
      last.list.append(last.item);
    }
    this.list.replaceChildren(this.headings.length === 0 ? element("p", {}, t("editor.outline.empty")) : root);
  }

  private go(at: number): void {
    const heading = this.headings[at];
    if (heading === undefined) return;
    const { view } = this.desk;
    const { from } = view.state.doc.line(Math.min(heading.line, view.state.doc.lines));
    view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "start", yMargin: 16 }) });
    if (document.body.dataset["mode"] === "preview") preview()[at]?.scrollIntoView({ block: "start" });
    if (NARROW.matches) this.close();
    else if (document.body.dataset["mode"] !== "preview") view.focus();
    this.mark(at);
  }

  private markSoon(): void {
    if (!this.shown) return;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const current = this.current();
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
    if (document.body.dataset["mode"] === "preview") {
      const { top: start, height } = part("preview").getBoundingClientRect();
      const top = start + height * READ;
      return preview().findLastIndex((each) => each.getBoundingClientRect().top <= top);
    }
    const { view } = this.desk;
    const { scrollTop, scrollHeight, clientHeight } = view.scrollDOM;
    const top = view.lineBlockAtHeight(scrollTop + clientHeight * READ - view.documentPadding.top).from;
    // At the end no heading can come to the top any more: then the caret tells where one is.
    const end = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
    const line = view.state.doc.lineAt(end ? Math.max(top, view.state.selection.main.head) : top).number;
    return this.headings.findLastIndex((heading) => heading.line <= line);
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

const named = (text: string): string => text || t("editor.outline.untitled");

/** The headings as the preview shows them, in the order of the text. */
const preview = (): HTMLElement[] => [...part("preview").querySelectorAll<HTMLElement>("h1, h2, h3, h4, h5, h6")].filter((each) => each.closest("blockquote, li") === null);

let made: Outline | null = null;

/** Keep the outline in `parent` as the text is now. */
export function outline(parent: HTMLElement, desk: Desk): void {
  made ??= new Outline(parent, desk);
}

/** Show it, or put it away. */
export function toggleOutline(desk: Desk): void {
  outline(part("outline"), desk);
  if (made?.shown) made.close();
  else made?.open();
}
