import { t } from "../base/messages.ts";

/** Boxes to tick on the page, and the line that each ticks, counted from the first of its block. */
export const boxes = new WeakMap<Element, number>();

/** Call a box what its item says; it stands at `place`, or will. */
export function nameBox(box: HTMLElement, place: HTMLElement): void {
  const name = wordsOf(place) || t("preview.task");
  if (box.getAttribute("aria-label") !== name) box.setAttribute("aria-label", name);
}

/** The same for the boxes of an item that says something else now. */
export function nameBoxes(item: HTMLElement): void {
  for (const each of item.querySelectorAll<HTMLElement>(".md-box")) if (each.closest("li") === item) nameBox(each, each);
}

/** The words of the box's own item. */
function wordsOf(place: HTMLElement): string {
  const item = place.closest("li")?.cloneNode(true);
  if (!(item instanceof HTMLElement)) return "";
  for (const nested of item.querySelectorAll("ul, ol, pre, table, .away")) nested.remove();
  return item.textContent.trim().replace(/\s+/g, " ").slice(0, 200);
}
