/** In the preview: a small mark in the margin of each block in which somebody writes. It lies over the preview, not in it. */

import { element, part } from "../base/dom.ts";
import type { Desk } from "../editor/desk.ts";
import { isTable } from "../editor/languages.ts";
import type { Modes } from "../editor/modes.ts";
import type { Crowd } from "./crowd.ts";
import { caretsIn } from "./cursors.ts";
import { paint } from "./faces.ts";
import { initials } from "./people.ts";
import type { Somebody } from "./presence.ts";

/** Milliseconds between two looks. */
const PAUSE = 300;
/** So many people's letters stand beside one block. */
const MOST = 3;
/** Pixels beside a block from which on the letters have room there. */
const MARGIN = 40;

export class Marks {
  private readonly layer = element("div", { class: "marks", "aria-hidden": "true" });
  private readonly marks: HTMLElement[] = [];
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: Desk,
    private readonly modes: Modes,
    crowd: Crowd,
  ) {
    crowd.watch(() => this.lookSoon());
    const preview = part("preview");
    // The preview draws its blocks anew when their text changes, and they move when others do.
    new MutationObserver((changes) => {
      if (changes.some(({ target }) => !this.layer.contains(target))) this.lookSoon();
    }).observe(preview, { childList: true, subtree: true });
    new ResizeObserver(() => this.lookSoon()).observe(preview);
    preview.addEventListener("scroll", () => this.lookSoon(), { passive: true });
    this.lookSoon();
  }

  private lookSoon(): void {
    // A table marks its cells itself.
    if (this.modes.mode === "source" || isTable(this.desk.path)) return;
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.look();
    }, PAUSE);
  }

  private look(): void {
    const blocks = [...this.writers()];
    const preview = part("preview");
    if (blocks.length > 0 && this.layer.parentElement !== preview) preview.append(this.layer);
    const frame = preview.getBoundingClientRect();
    const places = blocks.map(([block]) => block.getBoundingClientRect());
    for (const gone of this.marks.splice(blocks.length)) gone.remove();
    blocks.forEach(([, writers], index) => {
      const { top, left, height, width } = places[index] ?? frame;
      const mark = this.marks[index] ?? this.made();
      const place = { left: left - frame.left, top: top - frame.top + preview.scrollTop, height, width };
      for (const [name, value] of Object.entries(place)) mark.style.setProperty(name, `${Math.round(value)}px`);
      mark.classList.toggle("within", left - frame.left < MARGIN);
      show(mark, writers);
    });
  }

  /** The blocks in which others have their carets, with these. */
  private writers(): Map<HTMLElement, Somebody[]> {
    const found = new Map<HTMLElement, Somebody[]>();
    for (const { who, caret } of caretsIn(this.desk.view)?.carets() ?? []) {
      const block = who.doing === "idle" ? null : this.modes.elementAt(caret.head);
      if (block !== null) found.set(block, [...(found.get(block) ?? []), who]);
    }
    return found;
  }

  private made(): HTMLElement {
    const mark = element("div", { class: "mark" }, element("span"));
    this.marks.push(mark);
    this.layer.append(mark);
    return mark;
  }
}

function show(mark: HTMLElement, writers: readonly Somebody[]): void {
  const more = writers.length > MOST ? ` +${writers.length - MOST}` : "";
  const letters = writers.slice(0, MOST).map(({ name }) => initials(name)).join(" ") + more;
  const label = mark.firstElementChild;
  if (label !== null && label.textContent !== letters) label.textContent = letters;
  paint(mark, writers[0]?.color ?? "");
}
