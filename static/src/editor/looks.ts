/** Lines that look different as a whole: code and tables in letters of one width. Only what is on the screen is looked at. */

import { syntaxTree } from "@codemirror/language";
import { RangeSetBuilder, type Extension } from "@codemirror/state";
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";

const LINES: Readonly<Record<string, Decoration>> = {
  FencedCode: Decoration.line({ class: "cm-code-line" }),
  CodeBlock: Decoration.line({ class: "cm-code-line" }),
  FrontMatter: Decoration.line({ class: "cm-front-line" }),
  Table: Decoration.line({ class: "cm-table-line" }),
  Blockquote: Decoration.line({ class: "cm-quote-line" }),
};

function drawn(view: EditorView): DecorationSet {
  const lines = new Map<number, Decoration>();
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(view.state).iterate({
      from,
      to,
      enter: (node) => {
        const look = LINES[node.name];
        if (look === undefined) return node.name === "Document" || /Block|List|Item/.test(node.name);
        const end = Math.min(node.to, to);
        for (let line = view.state.doc.lineAt(Math.max(node.from, from)); ; line = view.state.doc.line(line.number + 1)) {
          lines.set(line.from, look);
          if (line.to >= end) return node.name === "Blockquote";
        }
      },
    });
  }
  const builder = new RangeSetBuilder<Decoration>();
  for (const at of [...lines.keys()].sort((a, b) => a - b)) {
    const look = lines.get(at);
    if (look !== undefined) builder.add(at, at, look);
  }
  return builder.finish();
}

class Looks {
  decorations: DecorationSet;

  constructor(view: EditorView) {
    this.decorations = drawn(view);
  }

  update(update: ViewUpdate): void {
    const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
    if (update.docChanged || update.viewportChanged || parsed) this.decorations = drawn(update.view);
  }
}

export const looks: Extension = ViewPlugin.fromClass(Looks, { decorations: (plugin) => plugin.decorations });
