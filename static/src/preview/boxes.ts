/** Boxes to tick on the page, and the line that each ticks, counted from the first of its block. */
export const boxes = new WeakMap<Element, number>();
