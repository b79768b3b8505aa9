/** What is put into the text: links, pictures, code, tables, footnotes, formulas, rules. */

import { EditorSelection, type EditorState, type TransactionSpec } from "@codemirror/state";

import { around, type Edit } from "./inline.ts";

const ADDRESS = /^(?:https?:\/\/|mailto:|www\.)\S+$/i;

function replaced(state: EditorState, insert: string, from: number, to: number): TransactionSpec {
  const main = state.selection.main;
  return {
    changes: { from: main.from, to: main.to, insert },
    selection: EditorSelection.single(main.from + from, main.from + to),
    userEvent: "input.format",
    scrollIntoView: true,
  };
}

/** `[words](address)`: the caret goes where something is missing; inside of a link its address is selected. */
export const link: Edit = (state) => {
  const { main } = state.selection;
  const url = around(state, "Link", main)?.getChild("URL");
  if (url) return { selection: { anchor: url.from, head: url.to }, scrollIntoView: true };
  const word = main.empty ? state.wordAt(main.head) : main;
  if (word === null) return replaced(state, "[]()", 1, 1);
  const text = state.sliceDoc(word.from, word.to);
  const within = state.update({ selection: word.from === main.from && word.to === main.to ? main : word }).state;
  if (ADDRESS.test(text)) return replaced(within, `[](${text})`, 1, 1);
  const made = `[${text}]()`;
  return replaced(within, made, made.length - 1, made.length - 1);
};

/** `![](address)` for a picture's address. */
export const imageOf = (address: string): string => `![](${address})`;

/** `[name](address)` for a file that is attached. */
export const fileLink = (name: string, address: string): string => `[${name.replace(/[\\[\]]/g, "\\$&")}](${address})`;

/** A block of its own, with empty lines around; the caret goes to `caret` in it. */
function block(state: EditorState, text: string, caret: number, end = caret): TransactionSpec {
  const { from, to } = state.selection.main;
  const start = state.doc.lineAt(from);
  const last = state.doc.lineAt(to);
  const before = state.sliceDoc(start.from, from).trim() === "" ? "" : "\n\n";
  const above = before === "" && start.number > 1 && state.doc.line(start.number - 1).text.trim() !== "" ? "\n" : "";
  const rest = state.sliceDoc(to, last.to).trim();
  const below = last.number < state.doc.lines ? state.doc.line(last.number + 1).text.trim() : "";
  const after = rest !== "" ? "\n\n" : below !== "" ? "\n" : last.number === state.doc.lines ? "\n" : "";
  const lead = (before || above).length;
  const at = before === "" ? start.from : from;
  return {
    changes: { from: at, to, insert: (before || above) + text + after },
    selection: EditorSelection.single(at + lead + caret, at + lead + end),
    userEvent: "input.format",
    scrollIntoView: true,
  };
}

export const rule: Edit = (state) => block(state, "---\n", 4);

/** A fenced block around the selected lines; inside of one the fences go. */
export const codeBlock: Edit = (state) => {
  const { main } = state.selection;
  const fenced = around(state, "FencedCode", main);
  if (fenced !== null) return unfenced(state, fenced.from, fenced.to);
  const first = state.doc.lineAt(main.from);
  const last = state.doc.lineAt(main.to);
  if (main.empty && first.text.trim() !== "") return fence(state.update({ selection: { anchor: first.from, head: first.to } }).state);
  return fence(main.empty ? state : state.update({ selection: { anchor: first.from, head: last.to } }).state);
};

function fence(state: EditorState): TransactionSpec {
  const text = state.sliceDoc(state.selection.main.from, state.selection.main.to);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return block(state, `${ticks}\n${text}\n${ticks}`, text === "" ? ticks.length + 1 : ticks.length);
}

function unfenced(state: EditorState, from: number, to: number): TransactionSpec {
  const first = state.doc.lineAt(from);
  const last = state.doc.lineAt(to);
  const closed = last.number > first.number && /^\s*(`{3,}|~{3,})\s*$/.test(last.text);
  const gone = [{ from: first.from, to: Math.min(first.to + 1, state.doc.length) }];
  if (closed) gone.push({ from: Math.max(last.from - 1, first.to + 1), to: last.to });
  return { changes: gone.filter((each) => each.from < each.to), userEvent: "input.format", scrollIntoView: true };
}

/** A table of two columns with one empty row; the first head is selected. */
export function table(column: (n: number) => string): Edit {
  return (state) => {
    const heads = [column(1), column(2)];
    const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    const empty = row(heads.map((head) => " ".repeat(head.length)));
    const text = [row(heads), row(heads.map((head) => "-".repeat(head.length))), empty].join("\n");
    return block(state, text, 2, 2 + (heads[0]?.length ?? 0));
  };
}

/** A number at the caret and its note at the end of the text, where the caret goes. */
export const footnote: Edit = (state) => {
  const used = new Set<number>();
  for (const line of state.doc.iterLines()) for (const [, number] of line.matchAll(/\[\^(\d+)\]/g)) used.add(Number(number));
  let free = 1;
  while (used.has(free)) free += 1;
  const end = state.doc.length;
  const lastLine = state.doc.line(state.doc.lines).text;
  const defined = /^\[\^[^\]]+\]:/.test(lastLine || (state.doc.lines > 1 ? state.doc.line(state.doc.lines - 1).text : ""));
  const gap = lastLine === "" ? (defined || end === 0 ? "" : "\n") : defined ? "\n" : "\n\n";
  const note = `${gap}[^${free}]: `;
  const at = state.selection.main.to;
  const changes = state.changes([
    { from: at, insert: `[^${free}]` },
    { from: end, insert: note },
  ]);
  return { changes, selection: { anchor: changes.newLength }, userEvent: "input.format", scrollIntoView: true };
};

/** `$…$` in a line, `$$` and lines of their own on an empty line or around several. */
export const formula: Edit = (state) => {
  const { from, to, empty } = state.selection.main;
  const line = state.doc.lineAt(from);
  const text = state.sliceDoc(from, to);
  if (text.includes("\n") || (empty && line.text.trim() === "")) return block(state, `$$\n${text}\n$$`, 3, 3 + text.length);
  return replaced(state, `$${text}$`, 1, 1 + text.length);
};
