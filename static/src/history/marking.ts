/** How a difference looks: what came, what went, and lines folded away. Only what is on the screen is decorated. */

import { StateEffect, StateField, type EditorState, type Extension, type Range as Placed } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from "@codemirror/view";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { reached, type Fold, type Mark } from "./pieces.ts";

const LOOKS = {
  added: Decoration.mark({ tagName: "ins", class: "came" }),
  removed: Decoration.mark({ tagName: "del", class: "went" }),
} as const;
const LINES = { added: Decoration.line({ class: "cm-came" }), removed: Decoration.line({ class: "cm-went" }), both: Decoration.line({ class: "cm-both" }) } as const;

/** A line break that came or went would not be seen. */
class Break extends WidgetType {
  constructor(private readonly kind: Mark["kind"]) {
    super();
  }

  override eq(other: Break): boolean {
    return other.kind === this.kind;
  }

  override toDOM(): HTMLElement {
    return element("span", { class: this.kind === "added" ? "came break" : "went break", "aria-hidden": "true" }, "↵");
  }
}

const BREAKS = { added: Decoration.widget({ widget: new Break("added"), side: 1 }), removed: Decoration.widget({ widget: new Break("removed"), side: 1 }) } as const;

function drawn(view: EditorView, marks: readonly Mark[]): DecorationSet {
  const found: Placed<Decoration>[] = [];
  const lines = new Map<number, keyof typeof LINES>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = reached(marks, from); at < marks.length; at += 1) {
      const mark = marks[at];
      if (mark === undefined || mark.from > to) break;
      draw(view.state, mark, { from, to }, found, lines);
    }
  }
  for (const [from, look] of lines) found.push(LINES[look].range(from));
  return Decoration.set(found, true);
}

function draw({ doc }: EditorState, { kind, ...mark }: Mark, seen: { from: number; to: number }, found: Placed<Decoration>[], lines: Map<number, keyof typeof LINES>): void {
  const [from, to] = [Math.max(mark.from, seen.from), Math.min(mark.to, seen.to)];
  for (let line = doc.lineAt(from); ; line = doc.line(line.number + 1)) {
    const [start, end] = [Math.max(from, line.from), Math.min(to, line.to)];
    const broken = line.to >= from && line.to < mark.to && (start >= end || mark.to - mark.from === 1);
    // What ends at a line's beginning does not touch it.
    if (start < end || broken) lines.set(line.from, (lines.get(line.from) ?? kind) === kind ? kind : "both");
    if (start < end) found.push(LOOKS[kind].range(start, end));
    if (broken) found.push(BREAKS[kind].range(line.to));
    if (line.to >= to || line.number === doc.lines) return;
  }
}

/** Marks for what came and what went, which ascend. */
export function marking(marks: readonly Mark[]): Extension {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = drawn(view, marks);
      }

      update({ view, docChanged, viewportChanged, transactions }: ViewUpdate): void {
        if (docChanged || viewportChanged || transactions.some(({ effects }) => effects.length > 0)) this.decorations = drawn(view, marks);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

/** Open the fold that begins here. */
const unfold = StateEffect.define<number>();

class Folded extends WidgetType {
  constructor(private readonly fold: Fold) {
    super();
  }

  override eq(other: Folded): boolean {
    return other.fold.from === this.fold.from && other.fold.lines === this.fold.lines;
  }

  override get estimatedHeight(): number {
    return 36;
  }

  override toDOM(view: EditorView): HTMLElement {
    const made = element("button", { type: "button", class: "folded" }, t("history.folded", { n: this.fold.lines }));
    made.addEventListener("click", () => {
      view.dispatch({ effects: unfold.of(this.fold.from) });
      view.focus();
    });
    return element("div", { class: "cm-folded" }, made);
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Lines that are folded away until somebody wants to see them. */
export function folding(folds: readonly Fold[]): Extension {
  return StateField.define<DecorationSet>({
    create: () => Decoration.set(folds.map((fold) => Decoration.replace({ widget: new Folded(fold), block: true }).range(fold.from, fold.to))),
    update: (folded, { effects }) => effects.reduce((now, effect) => (effect.is(unfold) ? now.update({ filter: (from) => from !== effect.value }) : now), folded),
    provide: (field) => EditorView.decorations.from(field),
  });
}
