/** Source and preview scroll together, by the lines of the blocks. Whichever a person moves leads; the other follows and never answers. */

import { EditorView } from "@codemirror/view";

import type { Sheet } from "./sheet.ts";

type Side = "source" | "preview";

/** Lines of the text that is shown (counted from 0) and positions of the text as it is now. */
interface Lines {
  line(at: number): number;
  place(line: number): { at: number } | null;
}

const MOVES = ["wheel", "pointerdown", "touchstart", "keydown"] as const;
/** Frames in which what was scrolled to is looked at again, for it is laid out only then. */
const LOOKS = 4;

export class Together {
  private leader: Side = "source";
  private on = false;
  private asked = false;
  private looks = 0;
  /** Where each side was when it was last on the screen: a position, and a line. */
  private at: number | null = null;
  private line: number | null = null;

  constructor(
    private readonly view: EditorView,
    private readonly parent: HTMLElement,
    private readonly sheet: Sheet,
    private readonly lines: Lines,
  ) {
    for (const [side, root] of [["source", view.dom], ["preview", parent]] as const) {
      for (const move of MOVES) root.addEventListener(move, () => (this.leader = side), { passive: true, capture: true });
    }
    view.scrollDOM.addEventListener("scroll", () => this.scrolled("source"), { passive: true });
    parent.addEventListener("scroll", () => this.scrolled("preview"), { passive: true });
  }

  /** Both are on the screen. */
  start(): void {
    if (!this.on && this.line !== null && this.leader === "preview") this.ask();
    else this.lead("source");
    this.on = true;
  }

  /** Only the preview is: it begins where the source was. */
  alone(): void {
    if (!this.on && this.at === null && this.line === null) this.at = this.view.state.selection.main.head;
    if (!this.on && this.at !== null) this.previewTo(this.lines.line(this.at));
    this.on = false;
    this.leader = "preview";
  }

  /** Only the source is: it goes to where the preview was. */
  stop(): void {
    const place = this.on || this.leader === "source" || this.line === null ? null : this.lines.place(Math.floor(this.line));
    this.on = false;
    this.leader = "source";
    if (place !== null) this.view.dispatch({ effects: EditorView.scrollIntoView(place.at, { y: "start", yMargin: 0 }) });
  }

  /** The source is where a person looks. */
  lead(side: Side): void {
    this.leader = side;
    this.looks = LOOKS;
    this.ask();
  }

  private scrolled(side: Side): void {
    if (side !== this.leader) return;
    this.looks = LOOKS;
    this.ask();
  }

  private ask(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.follow();
    });
  }

  private follow(): void {
    if (this.leader === "source" && this.view.dom.offsetParent !== null) {
      const { at, part } = this.top();
      this.at = at;
      if (this.on) this.previewTo(this.lines.line(at) + part);
    } else if (this.leader === "preview" && this.parent.offsetParent !== null) {
      this.line = this.previewLine();
      if (this.on) this.sourceTo(this.line);
    }
    this.looks -= 1;
    if (this.on && this.looks > 0) this.ask();
  }

  /** The line at the top of the source, and how much of it is above. */
  private top(): { at: number; part: number } {
    const { view } = this;
    const height = Math.max(0, view.scrollDOM.scrollTop - view.documentPadding.top);
    const block = view.lineBlockAtHeight(height);
    return { at: block.from, part: Math.min(1, Math.max(0, (height - block.top) / Math.max(1, block.height))) };
  }

  private sourceTo(line: number): void {
    const { view } = this;
    const place = this.lines.place(Math.floor(line));
    if (place === null) return;
    const block = view.lineBlockAt(Math.min(place.at, view.state.doc.length));
    move(view.scrollDOM, line <= 0 ? 0 : block.top + (line % 1) * block.height + view.documentPadding.top);
  }

  /** Between the tops of two blocks a line's place is in proportion. */
  private previewTo(line: number): void {
    const index = this.sheet.blockAt(line);
    if (index < 0 || line <= 0) return move(this.parent, 0);
    const { top, bottom, first, last } = this.stretch(index);
    const part = last > first ? Math.min(1, (line - first) / (last - first)) : 0;
    move(this.parent, top + part * (bottom - top));
  }

  private previewLine(): number {
    const { scrollTop } = this.parent;
    if (scrollTop <= 0 || this.sheet.length === 0) return 0;
    const { top, bottom, first, last } = this.stretch(this.sheet.indexAt(this.parent.getBoundingClientRect().top));
    return first + (bottom > top ? Math.min(1, Math.max(0, (scrollTop - top) / (bottom - top))) : 0) * (last - first);
  }

  /** From a block to the next: pixels from the top of all, and lines. */
  private stretch(index: number): { top: number; bottom: number; first: number; last: number } {
    const { sheet, parent } = this;
    const { first, end } = sheet.linesOf(index);
    const origin = parent.getBoundingClientRect().top - parent.scrollTop;
    const here = sheet.elementOf(index)?.getBoundingClientRect();
    const next = index + 1 < sheet.length ? sheet.elementOf(index + 1)?.getBoundingClientRect() : undefined;
    const last = next === undefined ? end : sheet.linesOf(index + 1).first;
    return { top: (here?.top ?? 0) - origin, bottom: (next?.top ?? here?.bottom ?? 0) - origin, first, last };
  }
}

/** A pixel is no way. */
function move(scroller: Element, top: number): void {
  if (Math.abs(scroller.scrollTop - top) > 1) scroller.scrollTop = top;
}
