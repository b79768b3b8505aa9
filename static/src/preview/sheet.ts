/**
 * The blocks on the page. They lie in groups, which the browser lays out when they come near the screen; far from it a group is only as high
 * as it is expected to be. Blocks become elements near the screen first, then the others while nothing else is to be done. Of a very long text
 * only what is near is on the page: each element costs every key press some time, wherever it is.
 */

import { element } from "../base/dom.ts";
import { carry } from "./carry.ts";
import { elements, empty, expect, fill, indexAt, indexOf, newGroup, placeOf, type Cell, type Group } from "./groups.ts";
import type { Patch } from "./letters.ts";
import { Lines } from "./lines.ts";
import { Steps } from "./time.ts";

/** Blocks of a group when it is made, and at most. */
const GROUP = 24;
const FULL = 48;
/** Changed blocks up to which they are replaced at once. */
const FEW = 8;
/** Groups up to which all are on the page, so that the browser finds words in them. */
const MOST = 48;
/** What blocks are made of, by somebody else. */
export interface Blocks {
  /** The element of a block; `warm`: somebody is typing it. It may be the old one, which has become so. */
  make(html: string, warm: boolean, old?: HTMLElement): HTMLElement;
  /** The block stands among the others; what has happened since its text was written may be done to it. */
  made(block: HTMLElement): void;
  /** Let a block that shows `was` show `now`, if that is so simple that nothing is made; says whether it was. */
  reword(block: HTMLElement, was: string, now: string): boolean;
  /** These will soon be seen. */
  near(blocks: readonly HTMLElement[]): void;
  gone(block: HTMLElement): void;
}

export class Sheet {
  readonly element = element("div", { class: "md-sheet" });
  private groups: Group[] = [];
  private lines = new Lines(new Int32Array(0));
  private readonly cells = new WeakMap<Element, Cell>();
  private readonly owners = new WeakMap<Element, Group>();
  private readonly near: IntersectionObserver;
  private readonly close = new Set<Element>();
  private working: Promise<void> | null = null;
  /** All of it is wanted on the page. */
  private whole = false;

  constructor(
    root: HTMLElement,
    private readonly blocks: Blocks,
  ) {
    this.near = new IntersectionObserver((entries) => this.came(entries), { root, rootMargin: "150% 0px" });
  }

  get length(): number {
    return this.lines.length;
  }

  apply({ from, removed, html, lines }: Patch): void {
    this.lines = new Lines(lines);
    if (removed === html.length && removed <= FEW && this.replace(from, html)) return;
    this.take(from, removed);
    if (html.length > FEW || this.groups.length === 0) this.insertMany(from, html);
    else this.insertFew(from, html);
  }

  clear(): void {
    this.take(0, Infinity);
    this.lines = new Lines(new Int32Array(0));
  }

  /** Make all elements anew, for they would be others now; the old ones stay until then. */
  again(): void {
    for (const group of this.groups) {
      group.drawn = false;
      for (const cell of group.cells) {
        if (cell.element !== null) this.blocks.gone(cell.element);
        cell.element = null;
      }
    }
    void this.work();
  }

  /** All blocks on the page now, and until `release`. */
  async complete(): Promise<void> {
    this.whole = true;
    while (this.nextGroup() !== undefined) await this.work();
  }

  release(): void {
    this.whole = false;
    this.thin();
  }

  linesOf(index: number): { first: number; end: number } {
    return this.lines.of(index);
  }

  blockAt(line: number): number {
    return this.lines.blockAt(line);
  }

  /** A block's element, or its group's while it has none. */
  elementOf(index: number): HTMLElement | null {
    const { group, at } = placeOf(this.groups, index);
    return group?.cells[at]?.element ?? group?.element ?? null;
  }

  /** The block that an element of the page belongs to, -1 when it belongs to none. */
  indexOf(node: Element): number {
    return indexOf(this.groups, this.cells.get(node.closest(".md-block") ?? node));
  }

  indexAt(y: number): number {
    return indexAt(this.groups, y);
  }

  /** The same number of blocks with other words: the usual case while somebody types. */
  private replace(from: number, html: readonly string[]): boolean {
    const found = html.map((_, index) => placeOf(this.groups, from + index)).map(({ group, at }) => ({ group, cell: group?.cells[at] }));
    if (found.some(({ cell, group }) => cell === undefined || group === undefined)) return false;
    found.forEach(({ group, cell }, index) => {
      if (cell === undefined || group === undefined) return;
      const was = cell.html;
      cell.html = html[index] ?? "";
      if (cell.element !== null && !this.blocks.reword(cell.element, was, cell.html)) this.renew(group, cell, cell.element);
    });
    return true;
  }

  private renew(group: Group, cell: Cell, old: HTMLElement): void {
    const made = this.make(cell, true, old);
    if (made !== old) {
      const { focus } = carry(old, made);
      this.blocks.gone(old);
      // In a group that is not drawn yet it is on no page.
      if (group.drawn) old.replaceWith(made);
      focus();
    }
    this.look(group, [cell]);
  }

  private take(from: number, removed: number): void {
    for (let left = removed; left > 0; ) {
      const { group, at } = placeOf(this.groups, from);
      if (group === undefined) return;
      const gone = group.cells.splice(at, left);
      left -= gone.length;
      for (const { element: each } of gone) {
        if (each !== null) this.blocks.gone(each);
        each?.remove();
      }
      if (group.cells.length === 0) this.drop(group);
    }
  }

  private drop(group: Group): void {
    this.groups.splice(this.groups.indexOf(group), 1);
    this.near.unobserve(group.element);
    this.close.delete(group.element);
    group.element.remove();
  }

  private insertFew(from: number, html: readonly string[]): void {
    const found = placeOf(this.groups, from);
    const group = found.group ?? this.groups.at(-1);
    if (group === undefined || html.length === 0) return;
    const at = found.group === undefined ? group.cells.length : found.at;
    const cells = html.map((each, index) => this.cell(each, from + index));
    const next = group.cells[at]?.element ?? null;
    group.cells.splice(at, 0, ...cells);
    if (group.drawn) for (const cell of cells) group.element.insertBefore(this.make(cell, true), next);
    this.look(group, cells);
    if (group.cells.length > FULL) this.halve(group, GROUP);
  }

  private insertMany(from: number, html: readonly string[]): void {
    const { group, at } = placeOf(this.groups, from);
    if (group !== undefined && at > 0) this.halve(group, at);
    const place = group === undefined ? this.groups.length : this.groups.indexOf(group) + (at > 0 ? 1 : 0);
    const made: Group[] = [];
    for (let start = 0; start < html.length; start += GROUP) {
      made.push(this.group(html.slice(start, start + GROUP).map((each, index) => this.cell(each, from + start + index)), false));
    }
    const next = this.groups[place]?.element ?? null;
    this.groups.splice(place, 0, ...made);
    for (const each of made) this.element.insertBefore(each.element, next);
    void this.work();
  }

  private halve(group: Group, at: number): void {
    const height = group.drawn ? group.element.getBoundingClientRect().height / group.cells.length : null;
    const rest = this.group(group.cells.splice(at), group.drawn);
    // As high together as before, wherever they are.
    if (height !== null) for (const each of [group, rest]) expect(each.element, height * each.cells.length);
    if (rest.drawn) rest.element.append(...elements(rest.cells));
    group.element.after(rest.element);
    this.groups.splice(this.groups.indexOf(group) + 1, 0, rest);
  }

  private group(cells: Cell[], drawn: boolean): Group {
    const made = newGroup(cells, drawn);
    this.owners.set(made.element, made);
    this.near.observe(made.element);
    return made;
  }

  private cell(html: string, index: number): Cell {
    const { first, end } = this.lines.of(index);
    return { html, lines: Math.min(Math.max(end - first, 1), 2000), element: null };
  }

  private make(cell: Cell, warm: boolean, old?: HTMLElement): HTMLElement {
    const made = this.blocks.make(cell.html, warm, old);
    cell.element = made;
    this.cells.set(made, cell);
    this.blocks.made(made);
    return made;
  }

  private came(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const group = this.owners.get(target);
      if (!isIntersecting || group === undefined) this.close.delete(target);
      else {
        this.close.add(target);
        this.look(group, group.cells);
      }
    }
    this.thin();
    if (this.nextGroup() !== undefined) void this.work();
  }

  /** What is near is drawn with all that is in it. */
  private look(group: Group, cells: readonly Cell[]): void {
    if (group.drawn && this.close.has(group.element)) this.blocks.near(elements(cells));
  }

  private work(): Promise<void> {
    this.working ??= this.drawAll().finally(() => {
      this.working = null;
      this.element.ariaBusy = "false";
    });
    return this.working;
  }

  private async drawAll(): Promise<void> {
    this.element.ariaBusy = "true";
    const steps = new Steps();
    const idle = (): boolean => !this.whole && !this.groups.some(({ drawn, element: each }) => !drawn && this.close.has(each));
    for (let group; (group = this.nextGroup()) !== undefined; ) {
      await steps.next(idle());
      for (let cell; (cell = group.cells.find(({ element: each }) => each === null)) !== undefined; await steps.next(idle())) this.make(cell, false);
      this.show(group);
    }
  }

  /** What is near the screen comes first; in a very long text nothing else comes, unless one wants it. */
  private nextGroup(): Group | undefined {
    const waiting = this.groups.filter(({ drawn }) => !drawn);
    const near = waiting.find(({ element: each }) => this.close.has(each));
    return near ?? (this.whole || this.groups.length <= MOST ? waiting[0] : undefined);
  }

  /** Take from the page what is too much and far; it stays as it is, and as high. */
  private thin(): void {
    if (this.groups.length <= MOST || this.whole) return;
    const far = this.groups.filter(({ element: each, drawn }) => drawn && !this.close.has(each) && !each.contains(document.activeElement));
    const heights = far.map(({ element: each }) => each.getBoundingClientRect().height);
    far.forEach((group, index) => empty(group, heights[index] ?? 0));
  }

  private show(group: Group): void {
    fill(group);
    this.look(group, group.cells);
  }
}
