/** When something on a page is pressed, and when it was let go. */

/** What answers to a click. */
const PRESSED = "a, button, input, summary";
/** Milliseconds after which a press was a click or none: a tap becomes one only after the finger is gone. */
const CLICK = 100;

/** `begun` is called when something in `root` is pressed by mouse, finger, pen or space bar, `over` when that has been a click. */
export function presses(root: HTMLElement, begun: () => void, over: () => void): void {
  let pressed = false;
  let ending: ReturnType<typeof setTimeout> | undefined;
  const begin = ({ target }: Event): void => {
    if (!(target instanceof Element) || target.closest(PRESSED) === null) return;
    clearTimeout(ending);
    pressed = true;
    begun();
  };
  const end = (): void => {
    if (!pressed) return;
    pressed = false;
    ending = setTimeout(over, CLICK);
  };
  root.addEventListener("pointerdown", begin);
  root.addEventListener("keydown", (event) => event.key === " " && begin(event));
  // It may end wherever the pointer or the focus is by then.
  for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, end, { capture: true, passive: true });
  // Of the window alone: a press takes the focus from what had it.
  addEventListener("blur", end);
}
