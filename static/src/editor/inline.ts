/** Marks within a line: bold, italic, struck through, code. Each command says what to change, or null when there is nothing. */

import { syntaxTree } from "@codemirror/language";
import { EditorSelection, type ChangeSpec, type EditorState, type SelectionRange, type TransactionSpec } from "@codemirror/state";
import type { SyntaxNode } from "@lezer/common";

/** What a command would do to this state; null: it does not apply. */
export type Edit = (state: EditorState) => TransactionSpec | null;

interface Mark {
  sign: string;
  /** The name of its node in the syntax tree. */
  node: string;
}

export const MARKS = {
  bold: { sign: "**", node: "StrongEmphasis" },
  italic: { sign: "*", node: "Emphasis" },
  strike: { sign: "~~", node: "Strikethrough" },
  code: { sign: "`", node: "InlineCode" },
} as const satisfies Record<string, Mark>;

export type MarkName = keyof typeof MARKS;

/** What stands before the words of a line: quotes, list markers, boxes, number signs. */
const LEAD = /^(?:\s|>|[-+*] |\d{1,9}[.)] |\[[ xX]\] |#{1,6} )*/;

interface Span {
  from: number;
  to: number;
}

/** The innermost node of this name around a span, its marks included. */
export function around(state: EditorState, name: string, { from, to }: Span): SyntaxNode | null {
  for (const side of [1, -1] as const) {
    for (let node: SyntaxNode | null = syntaxTree(state).resolveInner(from, side); node; node = node.parent) {
      if (node.name === name && node.from <= from && node.to >= to) return node;
    }
  }
  return null;
}

/** Whether everything that is selected is marked so. */
export const marked = (state: EditorState, name: MarkName): boolean =>
  state.selection.ranges.every((range) => around(state, MARKS[name].node, trimmed(state, range)) !== null);

/** Mark what is selected, or the word at the caret; take the marks away where they are. */
export function toggle(name: MarkName): Edit {
  const mark: Mark = MARKS[name];
  return (state) => {
    const change = state.changeByRange((range) => (range.empty ? atCaret(state, range, mark) : overSelection(state, range, mark)));
    return change.changes.empty && change.selection.eq(state.selection) ? null : { ...change, userEvent: "input.format", scrollIntoView: true };
  };
}

interface Change {
  range: SelectionRange;
  changes?: ChangeSpec;
}

function atCaret(state: EditorState, range: SelectionRange, { sign, node }: Mark): Change {
  const at = range.head;
  const length = sign.length;
  const marks = marksOf(around(state, node, range));
  // At the end of what is marked one goes on without the mark, as typing the mark would do.
  if (marks !== null && at === marks[1].from && at > marks[0].to) return { range: EditorSelection.cursor(marks[1].to) };
  if (marks !== null) return mapped(state, range, marks);
  const open = state.sliceDoc(Math.max(0, at - length), at) === sign && state.sliceDoc(at, at + length) === sign;
  if (open) return mapped(state, range, [{ from: at - length, to: at + length }]);
  const word = state.wordAt(at);
  if (word !== null && word.from < at && word.to > at) return wrap(state, range, [word], sign);
  return { range: EditorSelection.cursor(at + length), changes: { from: at, insert: sign + sign } };
}

function overSelection(state: EditorState, range: SelectionRange, { sign, node }: Mark): Change {
  const spans = pieces(state, range);
  const held = spans.map((span) => marksOf(around(state, node, span)) ?? signsAt(state, span, sign));
  if (spans.length > 0 && held.every((marks) => marks !== null)) return mapped(state, range, distinct(held.flatMap((marks) => marks ?? [])));
  const bare = spans.filter((_, at) => held[at] === null);
  return bare.length === 0 ? { range } : wrap(state, range, bare, sign, spans);
}

/** The marks of a node: its first and last child. */
function marksOf(node: SyntaxNode | null): readonly [Span, Span] | null {
  const first = node?.firstChild;
  const last = node?.lastChild;
  return first && last && first.name.endsWith("Mark") && last.from > first.from ? [first, last] : null;
}

/** The signs just inside or just outside of a span, where no syntax tree knows them yet. */
function signsAt(state: EditorState, { from, to }: Span, sign: string): readonly [Span, Span] | null {
  const { length } = sign;
  const text = state.sliceDoc(from, to);
  const pure = (start: number, end: number): boolean => state.sliceDoc(start - 1, start) !== sign[0] && state.sliceDoc(end, end + 1) !== sign[0];
  if (text.length > 2 * length && text.startsWith(sign) && text.endsWith(sign) && text[length] !== sign[0] && text.at(-length - 1) !== sign[0]) {
    return [
      { from, to: from + length },
      { from: to - length, to },
    ];
  }
  if (from < length || state.sliceDoc(from - length, from) !== sign || state.sliceDoc(to, to + length) !== sign) return null;
  if (!pure(from - length, to + length)) return null;
  return [
    { from: from - length, to: from },
    { from: to, to: to + length },
  ];
}

/** What of a selection can be marked: of each line the words, without what stands before them and spaces at the ends. */
function pieces(state: EditorState, { from, to }: SelectionRange): Span[] {
  const found: Span[] = [];
  for (let line = state.doc.lineAt(from); ; line = state.doc.line(line.number + 1)) {
    const lead = LEAD.exec(line.text)?.[0].length ?? 0;
    const start = Math.max(from, from > line.from + lead ? from : line.from + lead);
    const span = trimmed(state, { from: Math.min(start, line.to), to: Math.min(to, line.to) });
    if (span.from < span.to) found.push(span);
    if (line.to >= to) return found;
  }
}

function trimmed(state: EditorState, { from, to }: Span): Span {
  const text = state.sliceDoc(from, Math.min(to, from + 100_000));
  if (text.trim() === "") return { from, to: from };
  return { from: from + (text.length - text.trimStart().length), to: to - (text.length - text.trimEnd().length) };
}

/** Signs around the spans; afterwards the words of all these `selected` ones are selected. */
function wrap(state: EditorState, range: SelectionRange, spans: readonly Span[], sign: string, selected = spans): Change {
  const changes = state.changes(
    spans.flatMap(({ from, to }) => [
      { from, insert: sign },
      { from: to, insert: sign },
    ]),
  );
  if (range.empty) return { changes, range: range.map(changes, -1) };
  const [first, last] = [selected[0] ?? range, selected.at(-1) ?? range];
  return { changes, range: EditorSelection.range(changes.mapPos(first.from, 1), changes.mapPos(last.to, -1)) };
}

function mapped(state: EditorState, range: SelectionRange, gone: readonly Span[]): Change {
  const changes = state.changes(gone.map(({ from, to }) => ({ from, to })));
  return { changes, range: range.map(changes) };
}

const distinct = (spans: readonly Span[]): Span[] =>
  spans.filter((span, at) => spans.findIndex((other) => other.from === span.from) === at);
