/** What stays as it was when a block is replaced by what has become of it. */

import { diagrams } from "./dress.ts";

const WIDE = "pre, .md-scroll, .md-image";
const REACHABLE = "a[href], button, summary, input, [tabindex]";

/** Take over to `made` what a person or the browser did to `old`; call `focus` once `made` is on the page. */
export function carry(old: HTMLElement, made: HTMLElement): { focus(): void } {
  pairs<HTMLDetailsElement>(old, made, "details", (before, after) => (after.open = before.open));
  pictures(old, made);
  pairs(old, made, ".md-diagram", (before, after) => image(before, after));
  const scrolled = sideways(old);
  const focused = focusedIn(old);
  return {
    focus: () => {
      if (scrolled.some((left) => left > 0)) made.querySelectorAll(WIDE).forEach((each, index) => (each.scrollLeft = scrolled[index] ?? 0));
      if (focused >= 0) [...made.querySelectorAll<HTMLElement>(REACHABLE)][focused]?.focus({ preventScroll: true });
    },
  };
}

function pairs<T extends HTMLElement>(old: HTMLElement, made: HTMLElement, selector: string, act: (before: T, after: T) => void): void {
  const after = [...made.querySelectorAll<T>(selector)];
  if (after.length === 0) return;
  const before = [...old.querySelectorAll<T>(selector)];
  if (before.length === after.length) before.forEach((each, index) => act(each, after[index] ?? each));
}

/** A picture that is here is not loaded again. */
function pictures(old: HTMLElement, made: HTMLElement): void {
  const loaded = new Map([...old.querySelectorAll("img")].filter(({ complete }) => complete).map((each) => [each.src, each]));
  if (loaded.size === 0) return;
  for (const each of made.querySelectorAll("img")) {
    const known = loaded.get(each.src);
    if (known === undefined || known.alt !== each.alt || known.width !== each.width) continue;
    each.replaceWith(known);
    loaded.delete(each.src);
  }
}

/** The old image of a diagram stays until the new one is drawn. */
function image(before: HTMLElement, after: HTMLElement): void {
  const drawn = before.querySelector(".md-image");
  const place = after.querySelector(".md-image");
  if (drawn === null || place === null) return;
  place.replaceChildren(...drawn.childNodes);
  after.classList.toggle("md-wrong", before.classList.contains("md-wrong") && diagrams.get(before) === diagrams.get(after));
}

const sideways = (old: HTMLElement): number[] => [...old.querySelectorAll(WIDE)].map(({ scrollLeft }) => scrollLeft);

function focusedIn(old: HTMLElement): number {
  const { activeElement } = document;
  return activeElement instanceof HTMLElement && old.contains(activeElement) ? [...old.querySelectorAll(REACHABLE)].indexOf(activeElement) : -1;
}
