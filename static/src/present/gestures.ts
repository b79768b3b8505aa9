/** Fingers: a swipe or a tap turns the page; with two fingers, and with a mouse, nothing happens. */

export type Turn = "next" | "back" | null;

/** CSS pixels that a finger must move for a swipe, and may move for a tap. */
const SWIPE = 40;
const STILL = 10;
/** Milliseconds: longer than that it is a press, for example to select text. */
const QUICK = 500;
/** The part of the width that goes back. */
const BACK = 0.3;

export interface Touch {
  x: number;
  y: number;
  at: number;
}

/** What a finger that went from here to there wants. */
export function turnOf(from: Touch, to: Touch, width: number): Turn {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.abs(dx) >= SWIPE && Math.abs(dx) > 1.5 * Math.abs(dy)) return dx < 0 ? "next" : "back";
  if (Math.hypot(dx, dy) > STILL || to.at - from.at > QUICK) return null;
  return to.x < width * BACK ? "back" : "next";
}

/** Watch the fingers on an element. */
export function gestures(on: HTMLElement, turn: (to: Exclude<Turn, null>) => void): void {
  let start: Touch | null = null;
  let fingers = 0;
  on.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") return;
    fingers += 1;
    start = fingers === 1 && !isControl(event.target) ? { x: event.clientX, y: event.clientY, at: event.timeStamp } : null;
  });
  const end = (event: PointerEvent, counts: boolean): void => {
    if (event.pointerType === "mouse") return;
    fingers = Math.max(0, fingers - 1);
    const to = start && counts ? turnOf(start, { x: event.clientX, y: event.clientY, at: event.timeStamp }, on.clientWidth) : null;
    start = null;
    if (to !== null) turn(to);
  };
  on.addEventListener("pointerup", (event) => end(event, true));
  // The browser scrolls or zooms.
  on.addEventListener("pointercancel", (event) => end(event, false));
}

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("a, button, input, summary, audio, video") !== null;
