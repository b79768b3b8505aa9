/** The cells on the page, in the order of the document. Only those near the screen are drawn. */

import * as Y from "yjs";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { CellView, type Around } from "./cell.ts";
import { cellOf, type Cell, type Notebook, type Shared } from "./cells.ts";

/** Above and below what is seen, so that scrolling finds it drawn. */
const MARGIN = "100% 0px";

/** What has become of the cells. */
export interface Change {
  /** Views of cells that are no longer in the document, with the places they had. */
  gone: readonly { view: CellView; index: number }[];
  /** It was done on this page. */
  local: boolean;
}

export class CellList {
  readonly dom = element("div", { class: "nb-cells", role: "list", "aria-label": t("notebook.cells") });
  private all: CellView[] = [];
  private readonly known = new Map<Cell, CellView>();
  private readonly owners = new WeakMap<Element, CellView>();
  private readonly near: IntersectionObserver;
  private numbers = new Map<CellView, number>();
  private naming = 0;

  constructor(
    private readonly notebook: Notebook,
    root: HTMLElement,
    private readonly around: Around,
    private readonly changed: (change: Change) => void,
    /** Words were typed here, or by somebody else. */
    private readonly edited: (view: CellView, local: boolean) => void,
  ) {
    this.near = new IntersectionObserver((entries) => this.came(entries), { root, rootMargin: MARGIN });
    this.arrange();
    notebook.cells.observeDeep((events, transaction) => this.observed(events, transaction));
  }

  get views(): readonly CellView[] {
    return this.all;
  }

  /** Where a view is, from 1, and how many there are. */
  place(view: CellView): { n: number; all: number } {
    return { n: this.numbers.get(view) ?? 0, all: this.all.length };
  }

  viewOf(cell: Cell | null): CellView | null {
    return cell === null ? null : (this.known.get(cell) ?? null);
  }

  withId(id: string): CellView | null {
    return this.all.find((view) => view.id === id) ?? null;
  }

  /** The view of the cell that an element is in; null for what is in none. */
  owner(target: EventTarget | null): CellView | null {
    const cell = target instanceof Element ? target.closest(".nb-cell") : null;
    return cell === null ? null : (this.owners.get(cell) ?? null);
  }

  /** All cells drawn, far from the screen too. */
  async complete(): Promise<void> {
    await Promise.all(this.all.map((view) => view.complete()));
  }

  /** Rights have changed, or what all cells have in common. */
  permit(readOnly: boolean): void {
    for (const view of this.all) view.permit(readOnly);
  }

  private observed(events: readonly Y.YEvent<Shared>[], { local }: Y.Transaction): void {
    if (events.some(({ target }) => target === this.notebook.cells)) this.changed({ gone: this.arrange(), local });
    const others = new Set<CellView>();
    for (const { target } of events) {
      const view = this.viewOf(target === this.notebook.cells ? null : cellOf(this.notebook.cells, target));
      if (view === null) continue;
      if (target !== view.text) others.add(view);
      else {
        view.sourceChanged();
        this.edited(view, local);
      }
    }
    for (const view of others) view.changed();
  }

  /** Show the cells that there are, in their order; gives those that were shown and are gone. */
  private arrange(): Change["gone"] {
    const before = this.all;
    const cells = this.notebook.all;
    const there = new Set(cells);
    const gone = before.flatMap((view, index) => (there.has(view.cell) ? [] : [{ view, index }]));
    this.all = cells.map((cell) => this.known.get(cell) ?? this.made(cell));
    this.numbers = new Map(this.all.map((view, index) => [view, index + 1]));
    for (const { view } of gone) this.known.delete(view.cell);
    this.all.forEach((view, index) => {
      const next = this.dom.children[index] ?? null;
      if (next !== view.dom) this.dom.insertBefore(view.dom, next);
    });
    this.nameSoon();
    return gone;
  }

  /** Take the view of a cell that is gone from the page. */
  drop(view: CellView): void {
    this.near.unobserve(view.dom);
    view.destroy();
  }

  private made(cell: Cell): CellView {
    const view = new CellView(cell, this.around);
    this.known.set(cell, view);
    this.owners.set(view.dom, view);
    this.near.observe(view.dom);
    return view;
  }

  private came(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const view = this.owners.get(target);
      if (view !== undefined && this.known.get(view.cell) === view) view.close = isIntersecting;
    }
  }

  /** Each is called by its place, which is another now. */
  private nameSoon(): void {
    this.naming ||= requestAnimationFrame(() => {
      this.naming = 0;
      for (const view of this.all) view.name();
    });
  }
}
