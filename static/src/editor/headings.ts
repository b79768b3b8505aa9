/**
 * The headings of a Markdown text (CommonMark's ATX and Setext), line by line and without a parser: the editor's own
 * syntax tree does not reach far below the screen.
 */

import { countColumn } from "@codemirror/state";

export interface Heading {
  level: number;
  /** The words as they are read, without marks. */
  text: string;
  /** The line, from 1. */
  line: number;
}

const ATX = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}(?!.*`)|~{3,})/;
const UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/;
const FRONT = /^(?:---|\.\.\.)\s*$/;
/** Of a line no more is looked at. */
const LONGEST = 1000;
/** A row of one cell. */
const COLUMN = /^\s*(?:\|[^|]*\|?|[^|]+\|)\s*$/;
/** Blocks of HTML that an empty line does not end, and what does. */
const RAW: readonly (readonly [RegExp, RegExp])[] = [
  [/^ {0,3}<(?:script|pre|style|textarea)(?:[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^ {0,3}<!--/, /-->/],
];

/** Between two lines: what of the lines before matters for those that follow. */
export interface State {
  /** The signs that opened the fence one is in. */
  fence: string;
  /** What ends the raw part one is in. */
  until: RegExp | null;
  /** Lines of the paragraph that is open, which a line of = or - makes a heading: the first ones, and how many. */
  paragraph: readonly string[];
  length: number;
  /** In a list item or quote, whose own headings are not the document's: columns by which its further blocks are indented. 0: in none. */
  inside: number;
  /** In a table of one column: its dashes are no underline. */
  table: boolean;
  /** Front matter stands at the start only. */
  first: boolean;
}

export const START: Readonly<State> = { fence: "", until: null, paragraph: [], length: 0, inside: 0, table: false, first: true };

export const same = (one: State, other: State): boolean =>
  one.fence === other.fence &&
  one.until === other.until &&
  one.length === other.length &&
  one.inside === other.inside &&
  one.table === other.table &&
  one.first === other.first &&
  one.paragraph.every((line, at) => line === other.paragraph[at]);

/** Lines of a paragraph that are kept: nobody writes longer headings. */
const KEEP = 12;

/** Reads lines one after the other, from a state between two lines on. */
export class Scan {
  readonly found: Heading[] = [];
  private number = 0;
  private state: State;

  constructor(start: Readonly<State> = START) {
    this.state = { ...start };
  }

  /** After the lines until here. */
  get reached(): State {
    return { ...this.state };
  }

  next(whole: string): void {
    const { state } = this;
    const line = whole.length > LONGEST ? whole.slice(0, LONGEST) : whole;
    const front = state.first && /^---\s*$/.test(line);
    this.number += 1;
    state.first = false;
    if (front) state.until = FRONT;
    else if (state.until !== null) state.until = state.until.test(line) ? null : state.until;
    else if (state.fence !== "") state.fence = closes(line, state.fence) ? "" : state.fence;
    else if (line.trim() === "") this.end();
    else this.block(line);
  }

  /** An empty line. */
  private end(): void {
    this.begin([]);
    this.state.table = false;
  }

  private begin(paragraph: readonly string[]): void {
    this.state.paragraph = paragraph;
    this.state.length = paragraph.length;
  }

  private grow(line: string): void {
    if (this.state.length < KEEP) this.state.paragraph = [...this.state.paragraph, line];
    this.state.length += 1;
  }

  private block(line: string): void {
    const { state } = this;
    const indent = countColumn(/^\s*/.exec(line)?.[0] ?? "", 4);
    if (state.length === 0 && state.inside > 0 && indent >= state.inside) {
      // Further blocks of the item; a paragraph among them may go on without being indented.
      if (!ATX.test(line.trim()) && !FENCE.test(line.trim())) this.begin([line]);
      return;
    }
    if (state.length === 0) state.inside = 0;
    if (indent >= 4) return void (state.length > 0 && this.grow(line));
    const fence = FENCE.exec(line)?.[1];
    const atx = ATX.exec(line);
    const raw = RAW.find(([start]) => start.test(line));
    if (fence !== undefined) state.fence = fence;
    else if (atx !== null) this.add(atx[1]?.length ?? 1, atx[2] ?? "", this.number);
    else if (raw !== undefined) state.until = raw[1].test(line) ? null : raw[1];
    else return this.words(line);
    this.end();
    state.inside = 0;
  }

  private words(line: string): void {
    const { state } = this;
    const under = UNDERLINE.exec(line);
    if (under !== null && state.inside === 0 && under[1]?.startsWith("-") && COLUMN.test(state.paragraph.at(-1) ?? "")) {
      this.begin([]);
      state.table = true;
    } else if (under !== null && state.length > 0 && state.inside === 0) {
      this.add(under[1]?.startsWith("=") ? 1 : 2, state.paragraph.join(" "), this.number - state.length);
      this.begin([]);
    } else if (RULE.test(line)) {
      this.end();
      state.inside = 0;
    } else if (ITEM.test(line) || /^ {0,3}>/.test(line)) {
      this.end();
      this.begin([line]);
      state.inside = contentOf(line);
    } else if (!state.table) {
      // A line that goes on lazily belongs to the item above.
      if (state.length === 0) state.inside = 0;
      this.grow(line);
    }
  }

  private add(level: number, text: string, line: number): void {
    this.found.push({ level, text: plainly(text), line });
  }
}

/** The column in which an item's words begin; beyond all columns for a quote, which an empty line ends. */
function contentOf(line: string): number {
  const [whole = "", marker = ""] = /^( {0,3}(?:[-+*]|\d{1,9}[.)]))(?: {1,4}(?=\S)|)/.exec(line) ?? [];
  return marker === "" ? Number.POSITIVE_INFINITY : Math.max(whole.length, marker.length + 1);
}

const closes = (line: string, fence: string): boolean => {
  const end = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1];
  return end !== undefined && end[0] === fence[0] && end.length >= fence.length;
};

/** All headings of a text. */
export function headings(lines: Iterable<string>): Heading[] {
  const scan = new Scan();
  for (const line of lines) scan.next(line);
  return scan.found;
}

/** Where signs after a backslash are kept while the others go: code points that nobody uses. */
const KEPT = 0xe000;

/** Words without the marks of Markdown. */
export function plainly(text: string): string {
  return text
    .replace(/\\([!-/:-@[-`{-~])/g, (_, sign: string) => String.fromCharCode(KEPT + sign.charCodeAt(0)))
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<[^>]+>/g, "")
    .replace(/(`+)(.+?)\1/g, "$2")
    .replace(/(\*\*|__|~~|\*|(?<!\w)_|_(?!\w))(?=\S|$)|(?<=\S)(\*\*|__|~~|\*|_(?!\w))/g, "")
    .replace(/[\uE000-\uE07F]/g, (kept) => String.fromCharCode(kept.charCodeAt(0) - KEPT))
    .trim();
}
