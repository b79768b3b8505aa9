/** The text and its editor: CodeMirror bound to the shared text. */

import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Prec, type Extension } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, type KeyBinding, type ViewUpdate } from "@codemirror/view";
import { classHighlighter, tagHighlighter, tags } from "@lezer/highlight";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { t } from "../base/messages.ts";
import { cursors } from "../people/cursors.ts";
import { markdownKeys } from "./commands.ts";
import { finding } from "./find.ts";
import { indentation } from "./indentation.ts";
import { isMarkdown, isProse, languageOf, usualIndent } from "./languages.ts";
import { looks } from "./looks.ts";
import { Options } from "./options.ts";
import { straightTables } from "./tablekeys.ts";

/** Stands for what is in the text and is no character (an embed of another client), so that both count alike. */
const OBJECT = "\uFFFC";

export const marks = tagHighlighter([
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

/** Milliseconds after Escape in which Tab leaves the text. */
const LEAVE = 4000;

/** Escape lets Tab leave the text for a while. */
const leaving: KeyBinding = {
  key: "Escape",
  run: (view) => {
    // The editor's library gives two seconds, after this.
    setTimeout(() => view.setTabFocusMode(LEAVE));
    return false;
  },
};

/** On some keyboards / is typed with Shift and 7: there it would stand in the way of numbered lists, and texts have no comments. */
const ownKeymap = defaultKeymap.filter(({ key }) => key !== "Mod-/");

/** The text's language (BCP 47): what its front matter says, else the person's own, for spelling and for screen readers. */
function languageIn(state: EditorState): string {
  const start = state.sliceDoc(0, 1000);
  const said = start.startsWith("---\n") ? /^lang(?:uage)?:\s*["']?([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\b/im.exec(start)?.[1] : undefined;
  return said ?? (typeof navigator === "undefined" ? "" : navigator.language);
}

/** The editor of one document. */
export class TextEditor {
  readonly view: EditorView;
  /** Undoes only what was typed here. */
  readonly undo: Y.UndoManager;
  private readonly listeners = new Set<Listener>();
  private readonly access = new Compartment();
  private readonly language = new Compartment();
  private readonly options: Options;

  constructor(
    parent: HTMLElement,
    private readonly shown: Shown,
  ) {
    // Before the binding's own observer, which would take an object for text and never return.
    shown.text.observe(plainDelta);
    this.undo = new Y.UndoManager(shown.text);
    this.options = new Options({ prose: isProse(shown.fileName), undo: this.undo });
    this.view = new EditorView({ parent, state: this.state(shown.readOnly) });
    this.options.follow(this.view);
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
    const doc = plain(this.shown.text);
    const extensions = [this.options.first, this.kind(doc), this.parts(), this.access.of(permission(readOnly)), this.language.of([])];
    return EditorState.create({ doc, extensions });
  }

  /** What only texts for people have, and what only code has. */
  private kind(doc: string): Extension {
    const { fileName } = this.shown;
    if (isMarkdown(fileName)) return [Prec.high(keymap.of(markdownKeys(this.undo))), straightTables, looks];
    return isProse(fileName) ? [] : [bracketMatching(), indentOnInput(), indentation(doc, usualIndent(fileName)), keymap.of([indentWithTab])];
  }

  private parts(): Extension[] {
    const { text, awareness, fileName, nonce } = this.shown;
    const prose = isProse(fileName);
    return [
      // The shared text has only LF. A CR that another client inserts must count as one character here, as it does there.
      EditorState.lineSeparator.of("\n"),
      EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, "\n")),
      EditorView.cspNonce.of(nonce),
      EditorView.perLineTextDirection.of(true),
      EditorView.contentAttributes.of(({ state }) => ({ "aria-label": t("editor.text", { name: fileName }), tabindex: "0", lang: languageIn(state) })),
      EditorView.editorAttributes.of({ class: prose ? "prose" : "code" }),
      this.options.all,
      highlightSpecialChars(),
      syntaxHighlighting(classHighlighter),
      syntaxHighlighting(marks),
      finding(),
      keymap.of([leaving, ...yUndoManagerKeymap, ...searchKeymap, ...(prose ? ownKeymap : defaultKeymap)]),
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

export function permission(readOnly: boolean): Extension {
  return [EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly)];
}
