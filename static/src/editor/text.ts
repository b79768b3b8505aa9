/** The text and its editor: CodeMirror bound to the shared text. */

import { defaultKeymap } from "@codemirror/commands";
import { bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers, type ViewUpdate } from "@codemirror/view";
import { classHighlighter, tagHighlighter, tags } from "@lezer/highlight";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { cursors } from "../people/cursors.ts";
import { isProse, languageOf } from "./languages.ts";

/** Stands for what is in the text and is no character (an embed of another client), so that both count alike. */
const OBJECT = "\uFFFC";

const marks = tagHighlighter([
  { tag: tags.heading1, class: "tok-heading1" },
  { tag: tags.heading2, class: "tok-heading2" },
  { tag: tags.monospace, class: "tok-monospace" },
  { tag: tags.processingInstruction, class: "tok-mark" },
  { tag: tags.quote, class: "tok-quote" },
  { tag: tags.strikethrough, class: "tok-strikethrough" },
]);

export interface Shown {
  text: Y.Text;
  awareness: Awareness;
  fileName: string;
  /** Of the Content-Security-Policy. */
  nonce: string;
  readOnly: boolean;
}

type Listener = (update: ViewUpdate) => void;

/** The editor of one document. */
export class TextEditor {
  readonly view: EditorView;
  /** Undoes only what was typed here. */
  readonly undo: Y.UndoManager;
  private readonly listeners = new Set<Listener>();
  private readonly access = new Compartment();
  private readonly language = new Compartment();

  constructor(
    parent: HTMLElement,
    private readonly shown: Shown,
  ) {
    // Before the binding's own observer, which would take an object for text and never return.
    shown.text.observe(plainDelta);
    this.undo = new Y.UndoManager(shown.text);
    this.view = new EditorView({ parent, state: this.state(shown.readOnly) });
    void this.loadLanguage();
  }

  set readOnly(readOnly: boolean) {
    if (this.view.state.readOnly !== readOnly) this.view.dispatch({ effects: this.access.reconfigure(permission(readOnly)) });
  }

  /** Called after each update of the view; gives the way to stop. */
  readonly watch = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private state(readOnly: boolean): EditorState {
    const extensions = [this.parts(), this.access.of(permission(readOnly)), this.language.of([])];
    return EditorState.create({ doc: plain(this.shown.text), extensions });
  }

  private parts(): Extension[] {
    const { text, awareness, fileName, nonce } = this.shown;
    const prose = isProse(fileName);
    const typing = prose ? { spellcheck: "true", autocapitalize: "sentences", autocorrect: "on" } : { spellcheck: "false" };
    return [
      // The shared text has only LF. A CR that another client inserts must count as one character here, as it does there.
      EditorState.lineSeparator.of("\n"),
      EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, "\n")),
      EditorView.cspNonce.of(nonce),
      EditorView.lineWrapping,
      EditorView.perLineTextDirection.of(true),
      EditorView.contentAttributes.of({ "aria-label": `Text of ${fileName}`, tabindex: "0", ...typing }),
      EditorView.editorAttributes.of({ class: prose ? "prose" : "code" }),
      prose ? [] : [lineNumbers(), bracketMatching(), indentOnInput()],
      highlightSpecialChars(),
      syntaxHighlighting(classHighlighter),
      syntaxHighlighting(marks),
      search({ top: true }),
      keymap.of([...yUndoManagerKeymap, ...searchKeymap, ...defaultKeymap]),
      yCollab(text, null, { undoManager: this.undo }),
      // After the binding, so that positions are looked up in a shared text that has the same edits.
      cursors(text, awareness),
      EditorView.updateListener.of((update) => this.listeners.forEach((listener) => listener(update))),
    ];
  }

  private async loadLanguage(): Promise<void> {
    const language = await languageOf(this.shown.fileName).catch(() => null);
    if (language !== null) this.view.dispatch({ effects: this.language.reconfigure(language) });
  }
}

/** The shared text as a string in which each index of yjs is one UTF-16 unit. */
export function plain(text: Y.Text): string {
  const delta = text.toDelta() as { insert: unknown }[];
  return delta.map(({ insert }) => (typeof insert === "string" ? insert : OBJECT)).join("");
}

/** In an event's delta too: the event keeps it, so that every later observer sees this one. */
export function plainDelta(event: Y.YTextEvent): void {
  for (const change of event.delta) if (change.insert !== undefined && typeof change.insert !== "string") change.insert = OBJECT;
}

function permission(readOnly: boolean): Extension {
  return [EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)];
}
