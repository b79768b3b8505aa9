/** Text as a terminal shows it (ECMA-48): colours and weights; all other control sequences say nothing here. */

/** A run of letters that look the same. Colours: a number from 0 to 15 is one of the terminal's, else `#rrggbb`; null is the usual one. */
export interface Run {
  text: string;
  ink: Color;
  paper: Color;
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underline: boolean;
  strike: boolean;
}

export type Color = number | string | null;
type Look = Omit<Run, "text">;

const PLAIN: Readonly<Look> = { ink: null, paper: null, bold: false, faint: false, italic: false, underline: false, strike: false };
/** A sequence of control: CSI, OSC and other strings up to their end, two letters, or a lone control character. */
// eslint-disable-next-line no-control-regex
const CONTROL = /\u001b\[([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/** Numbers of one sequence that are looked at. */
const MOST = 64;

/** The runs of an output, in their order. */
export function runs(output: string): Run[] {
  const text = overwritten(output);
  const found: Run[] = [];
  let look: Look = PLAIN;
  let from = 0;
  const put = (to: number): void => {
    if (to > from) found.push({ text: text.slice(from, to), ...look });
  };
  for (const match of text.matchAll(CONTROL)) {
    put(match.index);
    from = match.index + match[0].length;
    if (match[2] === "m") look = changed(look, numbers(match[1] ?? ""));
  }
  put(text.length);
  return found;
}

/** Lines that a program has written over, as progress bars do, as they were at last. */
function overwritten(text: string): string {
  const lines = text.replace(/\r+\n/g, "\n");
  if (!/[\r\b]/.test(lines)) return lines;
  return lines.split("\n").map((line) => erased(line.replace(/\r+$/, "").replace(/^.*\r/s, ""))).join("\n");
}

function erased(line: string): string {
  if (!line.includes("\b")) return line;
  const letters: string[] = [];
  for (const letter of line) {
    if (letter === "\b") letters.pop();
    else letters.push(letter);
  }
  return letters.join("");
}

const numbers = (given: string): number[] => given.split(/[;:]/, MOST).map(Number).map((each) => (Number.isFinite(each) ? each : 0));

function changed(before: Look, codes: readonly number[]): Look {
  const look = { ...before };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const { color, length } = extended(codes.slice(index + 1));
      look[code === 38 ? "ink" : "paper"] = color;
      index += length;
    } else Object.assign(look, simple(code));
  }
  return look;
}

function simple(code: number): Partial<Look> {
  if (code >= 30 && code <= 37) return { ink: code - 30 };
  if (code >= 90 && code <= 97) return { ink: code - 82 };
  if (code >= 40 && code <= 47) return { paper: code - 40 };
  if (code >= 100 && code <= 107) return { paper: code - 92 };
  return STYLES[code] ?? {};
}

const STYLES: Readonly<Record<number, Partial<Look>>> = {
  0: PLAIN,
  1: { bold: true },
  2: { faint: true },
  3: { italic: true },
  4: { underline: true },
  9: { strike: true },
  22: { bold: false, faint: false },
  23: { italic: false },
  24: { underline: false },
  29: { strike: false },
  39: { ink: null },
  49: { paper: null },
};

/** A colour of 256 (5;n) or of 16 million (2;r;g;b), and how many numbers it takes. */
function extended([kind, ...rest]: readonly number[]): { color: Color; length: number } {
  const [first = 0, second = 0, third = 0] = rest.map((each) => Math.max(0, Math.min(255, Math.trunc(each))));
  if (kind === 5) return { color: ofPalette(first), length: 2 };
  return kind === 2 ? { color: hex(first, second, third), length: 4 } : { color: null, length: 0 };
}

/** xterm's 256 colours: 16, a cube of 6 by 6 by 6, and greys. */
function ofPalette(number: number): Color {
  if (number < 16) return number;
  if (number > 231) return hex(8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232));
  const level = (step: number): number => (step === 0 ? 0 : 55 + 40 * step);
  const cube = number - 16;
  return hex(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

const hex = (...parts: number[]): string => `#${parts.map((each) => each.toString(16).padStart(2, "0")).join("")}`;
