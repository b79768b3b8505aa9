/** Blocks that are laid out together. */

import { element } from "../base/dom.ts";

export interface Cell {
  html: string;
  lines: number;
  element: HTMLElement | null;
}

export interface Group {
  element: HTMLElement;
  cells: Cell[];
  /** Its cells are elements, and on the page. */
  drawn: boolean;
}

/** Pixels that a line of source may become, for what is not laid out yet. */
const LINE = 30;

export function newGroup(cells: Cell[], drawn: boolean): Group {
  const made: Group = { element: element("div", { class: "md-group" }), cells, drawn };
  const height = cells.reduce((sum, { lines }) => sum + lines * LINE, 0);
  expect(made.element, height);
  if (!drawn) made.element.style.setProperty("min-block-size", `${height}px`);
  return made;
}

/** How high a group is taken to be while it is not laid out. */
export function expect(group: HTMLElement, height: number): void {
  group.style.setProperty("contain-intrinsic-block-size", `auto ${height}px`);
}

export const elements = (cells: readonly Cell[]): HTMLElement[] => cells.map(({ element: each }) => each).filter((each) => each !== null);

/** Put all its cells on the page. */
export function fill(group: Group): void {
  group.drawn = true;
  group.element.replaceChildren(...elements(group.cells));
  group.element.style.removeProperty("min-block-size");
}

/** Take its cells from the page; it stays as high. */
export function empty(group: Group, height: number): void {
  group.drawn = false;
  group.element.style.setProperty("min-block-size", `${height}px`);
  group.element.replaceChildren();
}

/** Where a block is, counted through all groups. */
export function placeOf(groups: readonly Group[], index: number): { group: Group | undefined; at: number } {
  let at = index;
  for (const group of groups) {
    if (at < group.cells.length) return { group, at };
    at -= group.cells.length;
  }
  return { group: undefined, at };
}

/** The number of a block, -1 when it is in none of the groups. */
export function indexOf(groups: readonly Group[], cell: Cell | undefined): number {
  let before = 0;
  for (const { cells } of groups) {
    const at = cell === undefined ? -1 : cells.indexOf(cell);
    if (at >= 0) return before + at;
    before += cells.length;
  }
  return -1;
}

/** The last block that begins at this height of the screen or above it. */
export function indexAt(groups: readonly Group[], y: number): number {
  let before = 0;
  let found: { group: Group; before: number } | null = null;
  for (const group of groups) {
    if (group.element.getBoundingClientRect().top > y) break;
    found = { group, before };
    before += group.cells.length;
  }
  if (found === null) return 0;
  const { cells } = found.group;
  const below = cells.findIndex(({ element: each }) => each !== null && each.getBoundingClientRect().top > y);
  return found.before + Math.max(0, (below < 0 ? cells.length : below) - 1);
}
