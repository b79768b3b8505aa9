/** The editor of one cell's source: CodeMirror bound to its shared text. */

import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, syntaxHighlighting, type LanguageSupport } from "@codemirror/language";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, type KeyBinding } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

import { markdownKeys } from "../editor/commands.ts";
import { taking, type Place } from "../editor/images.ts";
import { indentation } from "../editor/indentation.ts";
import { looks } from "../editor/looks.ts";
import { Options } from "../editor/options.ts";
import { marks, permission, plain, plainDelta } from "../editor/text.ts";
import { cursors } from "../people/cursors.ts";
import type { CellType } from "./cells.ts";

/** What all editors of a notebook have in common. */
export interface Desk {
  readonly undo: Y.UndoManager;
  readonly awareness: Awareness;
  /** Of the Content-Security-Policy. */
  readonly nonce: string;
  readonly readOnly: boolean;
  /** The document's path under the root as of now. */
  readonly path: string;
  /** The keys that leave a cell, split it and go to its neighbours. */
  readonly keys: readonly KeyBinding[];
  /** The language of this type of cells, null when it has none or it cannot be loaded. */
  language(type: CellType): Promise<LanguageSupport | null>;
}

/** Texts whose objects are taken for one character each. */
const guarded = new WeakSet<Y.Text>();

export class SourceEditor {
  readonly view: EditorView;
  /** Where files are put that are pasted, dropped or chosen. */
  readonly place: Place;
  private readonly access = new Compartment();
  private readonly coloured = new Compartment();
  private readonly unfollow: () => void;

  constructor(
    parent: HTMLElement,
    text: Y.Text,
    readonly type: CellType,
    label: () => string,
    desk: Desk,
  ) {
    // Before the binding's own observer, which would take an object for text and never return.
    if (!guarded.has(text)) text.observe(plainDelta);
    guarded.add(text);
    const options = new Options({ prose: type === "markdown", part: true, undo: desk.undo });
    const doc = plain(text);
    this.view = new EditorView({
      state: EditorState.create({
        doc,
        extensions: [
          Prec.highest(keymap.of(desk.keys.filter(({ key }) => key !== "Escape"))),
          // With the keys of another editor Escape is that one's.
          options.first,
          Prec.highest(keymap.of(desk.keys.filter(({ key }) => key === "Escape"))),
          kind(type, doc, desk.undo),
          type === "markdown" ? taking(() => this.place) : [],
          EditorState.lineSeparator.of("\n"),
          EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, "\n")),
          EditorView.cspNonce.of(desk.nonce),
          EditorView.perLineTextDirection.of(true),
          // A cell is one stop of the Tab key; its text is entered by Enter.
          EditorView.contentAttributes.of(() => ({ "aria-label": label(), tabindex: "-1" })),
          EditorView.editorAttributes.of({ class: type === "markdown" ? "prose" : "code" }),
          options.all,
          highlightSpecialChars(),
          syntaxHighlighting(classHighlighter),
          syntaxHighlighting(marks),
          keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
          yCollab(text, null, { undoManager: desk.undo }),
          cursors(text, desk.awareness),
          this.access.of(permission(desk.readOnly)),
          this.coloured.of([]),
        ],
      }),
      parent,
    });
    const { view } = this;
    this.place = {
      view,
      text,
      undo: desk.undo,
      get path() {
        return desk.path;
      },
      get readOnly() {
        return desk.readOnly;
      },
    };
    this.unfollow = options.follow(this.view);
    void desk.language(type).then((language) => {
      if (language !== null) this.view.dispatch({ effects: this.coloured.reconfigure(language) });
    });
  }

  set readOnly(readOnly: boolean) {
    if (this.view.state.readOnly !== readOnly) this.view.dispatch({ effects: this.access.reconfigure(permission(readOnly)) });
  }

  destroy(): void {
    this.unfollow();
    this.view.destroy();
  }
}

function kind(type: CellType, doc: string, undo: Y.UndoManager): Extension {
  if (type === "markdown") return [Prec.high(keymap.of(markdownKeys(undo))), looks];
  return type === "code" ? [bracketMatching(), indentOnInput(), indentation(doc, "    "), keymap.of([indentWithTab])] : [];
}
