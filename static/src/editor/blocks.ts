/** Whole lines: headings, quotes, lists, tasks. Each command says what to change in the lines that are selected. */

import { syntaxTree } from "@codemirror/language";
import type { ChangeSpec, EditorState, Line } from "@codemirror/state";

import { around, type Edit } from "./inline.ts";

/** Indent, marker with its space, box with its space. */
const ITEM = /^(\s*(?:> ?)*\s*)((?:[-+*]|\d{1,9}[.)])[ \t]+)?(\[[ xX]\][ \t]+)?/;
const HEADING = /^( {0,3})(#{1,6})(?:[ \t]+|$)/;
const QUOTE = /^ {0,3}> ?/;

export type ListKind = "bullet" | "number" | "task";

/** The lines that are selected, each once; of several the empty ones only when `empty`. */
function chosen(state: EditorState, empty = false): Line[] {
  const lines = new Map<number, Line>();
  for (const { from, to } of state.selection.ranges) {
    for (let line = state.doc.lineAt(from); ; line = state.doc.line(line.number + 1)) {
      // A selection that ends before a line's first letter does not mean this line.
      if (line.from < to || line.from === from) lines.set(line.number, line);
      if (line.to >= to) break;
    }
  }
  const all = [...lines.values()];
  return empty || all.length === 1 ? all : all.filter((line) => line.text.trim() !== "");
}

function edited(state: EditorState, specs: ChangeSpec[]): ReturnType<Edit> {
  const changes = state.changes(specs);
  if (changes.empty) return null;
  return { changes, selection: state.selection.map(changes, 1), userEvent: "input.format", scrollIntoView: true };
}

/** The level of the line's heading, 0 when it is none. */
export function levelOf(state: EditorState, line: Line): number {
  const atx = HEADING.exec(line.text);
  if (atx !== null) return atx[2]?.length ?? 0;
  return Number(/SetextHeading(\d)/.exec(syntaxTree(state).resolveInner(line.from, 1).name)?.[1] ?? 0);
}

/** Make the lines headings of this level; when they all are, text again. */
export function heading(level: number): Edit {
  return (state) => {
    const lines = chosen(state);
    const wanted = lines.every((line) => levelOf(state, line) === level) ? 0 : level;
    return edited(state, lines.flatMap((line) => withLevel(state, line, wanted)));
  };
}

/** Text, heading 1, 2, 3, and text again. */
export const cycleHeading: Edit = (state) => {
  const lines = chosen(state);
  const first = lines[0];
  const next = first === undefined ? 0 : (levelOf(state, first) + 1) % 4;
  return edited(state, lines.flatMap((line) => withLevel(state, line, next)));
};

function withLevel(state: EditorState, line: Line, level: number): ChangeSpec[] {
  const sign = level === 0 ? "" : `${"#".repeat(level)} `;
  const lead = HEADING.exec(line.text)?.[0].length ?? 0;
  const under = underline(state, line);
  return [{ from: line.from, to: line.from + lead, insert: sign }, ...(under === null ? [] : [under])];
}

/** The line of = or - below a heading (Setext) goes with the heading. */
function underline(state: EditorState, line: Line): ChangeSpec | null {
  const node = around(state, "SetextHeading1", line) ?? around(state, "SetextHeading2", line);
  const mark = node?.getChild("HeaderMark");
  return mark ? { from: state.doc.lineAt(mark.from).from - 1, to: state.doc.lineAt(mark.from).to } : null;
}

/** Quote the lines; when they all are quoted, no more. */
export const quote: Edit = (state) => {
  const lines = chosen(state, true);
  const off = lines.every((line) => QUOTE.test(line.text));
  return edited(
    state,
    lines.map((line) =>
      off ? { from: line.from, to: line.from + (QUOTE.exec(line.text)?.[0].length ?? 0) } : { from: line.from, insert: "> " },
    ),
  );
};

/** The kind of list item that a line is. */
export function kindOf(text: string): ListKind | null {
  const [, , marker, box] = ITEM.exec(text) ?? [];
  if (marker === undefined) return null;
  if (box !== undefined) return "task";
  return /\d/.test(marker) ? "number" : "bullet";
}

/** Make the lines items of this kind; when they all are, lines of text again. */
export function list(kind: ListKind): Edit {
  return (state) => {
    const lines = chosen(state);
    const off = lines.every((line) => kindOf(line.text) === kind);
    let number = off ? 0 : firstNumber(state, lines[0]);
    return edited(
      state,
      lines.map((line) => {
        const [, indent = "", marker = "", box = ""] = ITEM.exec(line.text) ?? [];
        const from = line.from + indent.length;
        return { from, to: from + marker.length + (marker === "" ? 0 : box.length), insert: off ? "" : markerOf(kind, number++) };
      }),
    );
  };
}

const markerOf = (kind: ListKind, number: number): string => ({ bullet: "- ", number: `${number}. `, task: "- [ ] " })[kind];

/** One more than the item above, so that a list goes on. */
function firstNumber(state: EditorState, line: Line | undefined): number {
  if (line === undefined || line.number === 1) return 1;
  const above = /^\s*(\d{1,8})[.)]\s/.exec(state.doc.line(line.number - 1).text);
  return above === null ? 1 : Number(above[1]) + 1;
}
