/** Where the names at carets go: inside of what is seen, and none over another. Pixels of the scrolled content. */

/** A caret whose name is shown. */
export interface Flag {
  /** The caret's line. */
  x: number;
  top: number;
  bottom: number;
  /** Of the name. */
  width: number;
  /** Its line is written from right to left. */
  rtl: boolean;
}

/** What is seen of the content. */
export interface Frame {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Where a name stands: its left and top corner from the caret's upper end. */
export interface Spot {
  dx: number;
  dy: number;
}

/** The height of a name. */
export const HEIGHT = 18;
/** Names above each other at one place; more than these share the last row. */
const ROWS = 6;
/** Beyond so many names nobody can read them, and they are only put above their carets. */
const MOST = 60;

interface Box {
  left: number;
  right: number;
  top: number;
}

/** The spots of these names, in their order. */
export function arranged(flags: readonly Flag[], frame: Frame): Spot[] {
  const placed: Box[] = [];
  return flags.map((flag, index) => {
    const left = leftOf(flag, frame);
    const rows = index < MOST ? tops(flag, frame) : tops(flag, frame).slice(0, 1);
    const free = rows.find((top) => !placed.some((box) => covers(box, { left, right: left + flag.width, top })));
    const top = free ?? rows[rows.length - 1] ?? flag.top - HEIGHT;
    placed.push({ left, right: left + flag.width, top });
    return { dx: left - flag.x, dy: top - flag.top };
  });
}

/** From the caret on in the direction of writing, as far as the frame allows. */
function leftOf({ x, width, rtl }: Flag, { left, right }: Frame): number {
  const wanted = rtl ? x - width : x;
  return Math.max(left, Math.min(wanted, right - width));
}

/** Rows above the caret, then rows below it. */
function tops({ top, bottom }: Flag, frame: Frame): number[] {
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const above = rows.map((row) => top - (row + 1) * HEIGHT).filter((each) => each >= frame.top);
  const below = rows.map((row) => bottom + row * HEIGHT);
  return [...above, ...below].slice(0, ROWS);
}

function covers(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.top + HEIGHT && other.top < one.top + HEIGHT;
}

/** About as wide as a name is drawn: 11 px letters, wide ones for East Asian writing and pictures. */
export function widthOf(name: string): number {
  const letters = Array.from(name).reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) > 0x2e7f ? 12 : 6.7), 0);
  return Math.min(190, Math.ceil(letters) + 14);
}

/** Whether a line is written from right to left: by its first letter that has a direction (UAX #9, P2). */
export function isRtl(line: string): boolean {
  const first = /\p{L}/u.exec(line)?.[0] ?? "";
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/.test(first);
}
