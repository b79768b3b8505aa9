/** The headings of a text that changes: after a change only the lines around it are read again. */

import type { ChangeSet, Text } from "@codemirror/state";

import { same, Scan, START, type Heading, type State } from "./headings.ts";

/** Lines of a section: the least that is read again. */
const LINES = 300;

interface Section {
  lines: number;
  /** Headings with lines counted from the section's first, 1. */
  found: readonly Heading[];
  /** The states before and after it; null: it is to be read. */
  before: State | null;
  after: State;
}

const unread = (lines: number): Section => ({ lines, found: [], before: null, after: START });

export class Sections {
  private all: Section[];

  constructor(private doc: Text) {
    this.all = [unread(doc.lines)];
  }

  /** The text is this one now, by these changes: costs as much as they do. */
  change(doc: Text, changes: ChangeSet): void {
    const before = this.doc;
    const spans: [first: number, last: number, by: number][] = [];
    changes.iterChangedRanges((fromA, toA, fromB, toB) => {
      const [first, last] = [before.lineAt(fromA).number, before.lineAt(toA).number];
      const by = doc.lineAt(toB).number - doc.lineAt(fromB).number - (last - first);
      spans.push([first, last, by]);
    });
    // From the end, so that the numbers of the lines before still hold.
    for (const [first, last, by] of spans.reverse()) this.mark(first, last, by);
    this.doc = doc;
  }

  private mark(first: number, last: number, by: number): void {
    let line = 1;
    let from = 0;
    while (from < this.all.length - 1 && line + (this.all[from]?.lines ?? 0) <= first) line += this.all[from++]?.lines ?? 0;
    let to = from;
    let lines = 0;
    while (to < this.all.length && (to === from || line + lines <= last)) lines += this.all[to++]?.lines ?? 0;
    this.all.splice(from, to - from, unread(lines + by));
  }

  /** Read what is to be read, with a pause after every few lines; gives all headings. */
  *read(): Generator<void, Heading[]> {
    const found: Heading[] = [];
    let state: State = START;
    let line = 1;
    for (let at = 0; at < this.all.length; at += 1) {
      this.split(at);
      let section = this.all[at] ?? unread(0);
      if (section.before === null || !same(section.before, state)) {
        const scan = new Scan(state);
        let read = 0;
        for (const text of this.doc.iterLines(line, line + section.lines)) {
          scan.next(text);
          if ((read += 1) % 32 === 0) yield;
        }
        this.all[at] = section = { lines: section.lines, found: scan.found, before: state, after: scan.reached };
      }
      for (const heading of section.found) found.push({ ...heading, line: heading.line + line - 1 });
      state = section.after;
      line += section.lines;
    }
    return found;
  }

  /** What is to be read and too long becomes two. */
  private split(at: number): void {
    const section = this.all[at];
    if (section?.before === null && section.lines > 2 * LINES) this.all.splice(at, 1, unread(LINES), unread(section.lines - LINES));
  }
}
