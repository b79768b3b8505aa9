/** A toolbar is one stop of the Tab key; arrows move between its buttons. */

/** Only this one is reached by Tab. */
export function rove(parent: HTMLElement, to: HTMLElement | undefined): void {
  for (const each of parent.querySelectorAll("button")) each.tabIndex = each === to ? 0 : -1;
}

/** Move among these with the keys of a toolbar; Escape leaves it. */
export function walk(event: KeyboardEvent, parent: HTMLElement, all: readonly HTMLElement[], leave: () => void): void {
  const at = all.indexOf(document.activeElement as HTMLElement);
  const [next, previous] = getComputedStyle(parent).direction === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  const to = { [next]: at + 1, [previous]: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (event.key === "Escape") leave();
  else if (to !== undefined) all[(to + all.length) % all.length]?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
