/** The slides of one document on the screen: one at a time, or all of them small. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { keyOf, type Page } from "./deck.ts";
import { nearest, relocated } from "./place.ts";
import { Sheet, type Renderer } from "./sheet.ts";
import { fill } from "./stage.ts";

export interface Change {
  /** A person went there; else the document has changed. */
  moved: boolean;
}

interface Cell {
  sheet: Sheet;
  pick: HTMLButtonElement;
  element: HTMLElement;
}

export class Show {
  at = 0;
  pages: readonly Page[] = [];
  /** All slides are shown, small. */
  overview = false;
  private cells: Cell[] = [];
  private upright = false;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly parent: HTMLElement,
    private readonly render: Renderer,
    private readonly changed: (change: Change) => void,
  ) {
    fill(parent, () => this.fit());
    addEventListener("beforeprint", () => this.spread(true));
    addEventListener("afterprint", () => this.spread(false));
  }

  get sheet(): Sheet | undefined {
    return this.cells[this.at]?.sheet;
  }

  /** The document has these pages now. */
  update(pages: readonly Page[]): void {
    const [before, after] = [this.pages.map(keyOf), pages.map(keyOf)];
    const first = this.pages.length === 0;
    const at = first ? Math.min(this.at, Math.max(0, pages.length - 1)) : relocated(before, after, this.at);
    this.arrange(before, after, at);
    this.pages = pages;
    this.at = at;
    this.place();
    this.changed({ moved: first });
  }

  /** Go to this page, or to the nearest that there is. */
  go(index: number): void {
    const at = Math.max(0, Math.min(index, this.pages.length - 1));
    if (at === this.at) return;
    this.at = at;
    this.place();
    this.sheet?.content.scrollTo({ top: 0 });
    this.changed({ moved: true });
  }

  /** One step, within a long slide first. */
  step(down: boolean): void {
    if (!this.overview && this.sheet?.hasMore(down)) this.sheet.scroll(down);
    else this.go(this.at + (down ? 1 : -1));
  }

  setOverview(overview: boolean): void {
    this.overview = overview;
    document.body.classList.toggle("overview", overview);
    this.place();
    if (overview) this.cells[this.at]?.pick.focus();
    else this.parent.focus({ preventScroll: true });
  }

  /** In the overview: to the slide beside this one, or to the one above or below. */
  walk(forward: boolean, across: boolean): void {
    const tops = this.cells.map(({ element }) => element.offsetTop);
    const row = Math.max(1, tops.findIndex((top) => top !== tops[0]));
    const by = across ? row : 1;
    const to = this.at + (forward ? by : -by);
    if (to >= 0 && to < this.cells.length) this.go(to);
    this.cells[this.at]?.pick.focus();
  }

  /** Draw everything in the colours of now. */
  async redraw(): Promise<void> {
    for (const [index, { sheet }] of this.cells.entries()) {
      const page = this.pages[index];
      if (page) await sheet.again(page);
    }
  }

  /** Resolved when all slides are drawn, for print. */
  async complete(): Promise<void> {
    await Promise.all(this.cells.map((_, index) => this.draw(index)));
  }

  /** Each page keeps the cell that showed the same, and the one that is looked at its own. */
  private arrange(before: readonly string[], after: readonly string[], at: number): void {
    const free = new Set(this.cells.keys());
    const current = this.cells[this.at];
    free.delete(this.at);
    const cells = after.map((key, index) => {
      if (index === at && current) return current;
      const same = before.findIndex((each, place) => each === key && free.has(place));
      free.delete(same);
      return this.cells[same] ?? this.cell();
    });
    for (const { element } of this.cells) if (!cells.some((cell) => cell.element === element)) element.remove();
    // What stands right is not touched: an element that is put in anew loses its place of scrolling.
    cells.forEach(({ element }, index) => {
      if (this.parent.children[index] !== element) this.parent.insertBefore(element, this.parent.children[index] ?? null);
    });
    this.cells = cells;
  }

  private cell(): Cell {
    const sheet = new Sheet(this.render);
    const pick = button("", () => this.pick(pick), "pick");
    return { sheet, pick, element: element("div", { class: "cell" }, sheet.element, pick) };
  }

  private pick(chosen: HTMLButtonElement): void {
    const index = this.cells.findIndex(({ pick }) => pick === chosen);
    this.setOverview(false);
    this.go(index);
  }

  /** Show what is to be seen, and draw it: first this page, then its neighbours, the others when nothing else is to be done. */
  private place(): void {
    this.cells.forEach(({ element, sheet, pick }, index) => {
      const label = this.label(index);
      element.classList.toggle("now", index === this.at);
      sheet.element.setAttribute("aria-label", label);
      sheet.element.inert = this.overview;
      pick.setAttribute("aria-label", label);
      pick.setAttribute("aria-current", String(index === this.at));
      pick.hidden = !this.overview;
      // What is not seen has no size.
      if (this.overview || index === this.at) sheet.fit();
    });
    void this.drawAround(this.at);
  }

  /** "Slide 3 of 12: What is new". */
  label(index = this.at): string {
    const { heading = "" } = this.pages[index] ?? {};
    const values = { n: index + 1, count: this.pages.length, heading };
    return t(heading === "" ? "present.place" : "present.placeNamed", values);
  }

  /** Where this page is now, when the other window knows it at `at`. */
  find(key: string, at: number): number {
    const found = nearest(this.pages.map(keyOf), key, at);
    return found < 0 ? at : found;
  }

  private async drawAround(at: number): Promise<void> {
    for (const index of [at, at + 1, at - 1]) await this.draw(index);
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.drawRest(), 300);
  }

  private async drawRest(): Promise<void> {
    const { pages } = this;
    for (let index = 0; index < pages.length && pages === this.pages; index += 1) {
      await this.draw(index);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  private async draw(index: number): Promise<void> {
    const [cell, page] = [this.cells[index], this.pages[index]];
    if (cell && page) await cell.sheet.show(page);
  }

  private fit(): void {
    for (const { sheet } of this.cells) sheet.fit();
  }

  /** All slides one below the other, as they are printed. */
  private spread(all: boolean): void {
    const { classList } = this.parent;
    if (all) this.upright = classList.contains("upright");
    classList.toggle("upright", !all && this.upright);
    document.body.classList.toggle("spread", all);
    this.fit();
  }
}
