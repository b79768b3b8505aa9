/** The text of a version, with what came and what went in it. */

import { syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, highlightSpecialChars, keymap, type DecorationSet } from "@codemirror/view";
import { standardKeymap } from "@codemirror/commands";
import { classHighlighter } from "@lezer/highlight";

import { nonce } from "../base/page.ts";
import { isMarkdown, isProse, languageOf } from "../editor/languages.ts";
import { looks } from "../editor/looks.ts";
import { folding, marking } from "./marking.ts";
import { changes, folds, reached, woven, type Piece, type Range } from "./pieces.ts";

/** Where one is among the changes. */
const here = StateEffect.define<Range | null>();
const spot = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, { effects }) => effects.reduce((now, effect) => (effect.is(here) ? around(effect.value) : now), before),
  provide: (field) => EditorView.decorations.from(field),
});
const around = (range: Range | null): DecorationSet =>
  range === null || range.from === range.to ? Decoration.none : Decoration.set(Decoration.mark({ class: "here", inclusive: true }).range(range.from, range.to));

/** Units of UTF-16 beyond which a text is shown without its language: each version would be parsed anew. */
const LARGE = 200_000;

export class Sheet {
  readonly view: EditorView;
  private readonly language = new Compartment();
  private spoken: Extension = [];
  private found: readonly Range[] = [];
  /** The change that one went to last. */
  private at = -1;
  private frame = 0;

  constructor(
    parent: HTMLElement,
    private readonly fileName: string,
  ) {
    this.view = new EditorView({ parent, state: this.state("", [], "") });
    void languageOf(fileName).then(
      (language) => {
        this.spoken = language ?? [];
        this.view.dispatch({ effects: this.language.reconfigure(this.colours(this.view.state.doc.length)) });
      },
      () => undefined,
    );
  }

  /** How many changes there are, and at which of them one is, from 1 on. */
  get place(): { at: number; all: number } {
    return { at: this.at + 1, all: this.found.length };
  }

  /** Show a text; `only`: fold what is the same. The place on the screen stays where that can be. */
  show(pieces: readonly Piece[], { label, only }: { label: string; only: boolean }): void {
    const { text, marks } = woven(pieces);
    this.found = changes(text, marks);
    this.at = -1;
    const top = this.view.scrollDOM.scrollTop;
    const state = this.state(text, [marking(marks), spot], label);
    this.view.setState(only && marks.length > 0 ? state.update({ effects: StateEffect.appendConfig.of(folding(folds(state.doc, this.found))) }).state : state);
    this.view.scrollDOM.scrollTop = top;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.first());
  }

  /** Let go of the page. */
  end(): void {
    cancelAnimationFrame(this.frame);
    this.view.destroy();
  }

  /** Go to the next change, or the one before. */
  step(by: 1 | -1): void {
    const all = this.found.length;
    if (all === 0) return;
    const from = this.at === -1 ? this.seen(by) : this.at + by;
    this.go((from + all) % all);
  }

  private colours(length: number): Extension {
    return length > LARGE ? [] : this.spoken;
  }

  /** When no change is to be seen, go where one is. */
  private first(): void {
    const [change] = this.found;
    if (change === undefined) return;
    const { from, to } = this.window;
    const next = this.found[reached(this.found, from)];
    if (next === undefined || next.from > to) this.view.dispatch({ effects: EditorView.scrollIntoView((next ?? change).from, { y: "center" }) });
  }

  /** The first change on the screen, seen from above, or the last one above it. */
  private seen(by: 1 | -1): number {
    const next = reached(this.found, this.window.from);
    return by === 1 ? next : next - 1;
  }

  /** What one sees. */
  private get window(): Range {
    const { scrollDOM, documentTop } = this.view;
    const box = scrollDOM.getBoundingClientRect();
    const block = (y: number): { from: number; to: number } => this.view.lineBlockAtHeight(y - documentTop);
    return { from: block(box.top).from, to: block(box.bottom).to };
  }

  private go(at: number): void {
    const change = this.found[at];
    if (change === undefined) return;
    this.at = at;
    this.view.dispatch({ effects: [here.of(change), EditorView.scrollIntoView(change.from, { y: "center" })] });
  }

  private state(doc: string, more: Extension, label: string): EditorState {
    const prose = isProse(this.fileName);
    return EditorState.create({
      doc,
      extensions: [
        EditorState.lineSeparator.of("\n"),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.cspNonce.of(nonce),
        EditorView.perLineTextDirection.of(true),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0" }),
        EditorView.editorAttributes.of({ class: prose ? "prose" : "code" }),
        highlightSpecialChars(),
        syntaxHighlighting(classHighlighter),
        this.language.of(this.colours(doc.length)),
        isMarkdown(this.fileName) ? looks : [],
        keymap.of(standardKeymap),
        more,
      ],
    });
  }
}
