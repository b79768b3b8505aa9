/** What the person prefers of the editor, as extensions that are exchanged while one writes. */

import { foldGutter, foldKeymap } from "@codemirror/language";
import { Compartment, Prec, type Extension, type StateEffect } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import type * as Y from "yjs";

import { t } from "../base/messages.ts";
import { preferences, type Preferences } from "../settings/preferences.ts";
import { element } from "../base/dom.ts";

/** `prose`: a text for people; `part`: one of many on a page, with nothing at its side unless one wants it; `undo`: what the keys of other editors undo with. */
export interface Kind {
  prose: boolean;
  part?: boolean;
  undo: Y.UndoManager;
}

/** The extensions of the preferences, which follow them while `view` lives. */
export class Options {
  private readonly wrap = new Compartment();
  private readonly numbers = new Compartment();
  private readonly spelling = new Compartment();
  private readonly keys = new Compartment();

  constructor(private readonly kind: Kind) {}

  /** Goes before all other keys. */
  get first(): Extension {
    return this.keys.of([]);
  }

  get all(): Extension {
    const now = preferences.get();
    return [this.wrap.of(wrapped(now)), this.numbers.of(numbered(now, this.kind)), this.spelling.of(spelled(now, this.kind))];
  }

  /** Follow the preferences from now on; gives the way to stop. */
  follow(view: EditorView): () => void {
    void this.load(view, preferences.get().keys);
    return preferences.watch((now, before) => {
      const effects: StateEffect<unknown>[] = [];
      if (now.wrap !== before.wrap) effects.push(this.wrap.reconfigure(wrapped(now)));
      if (now.lineNumbers !== before.lineNumbers) effects.push(this.numbers.reconfigure(numbered(now, this.kind)));
      if (now.spelling !== before.spelling) effects.push(this.spelling.reconfigure(spelled(now, this.kind)));
      if (effects.length > 0) view.dispatch({ effects });
      if (now.keys !== before.keys) void this.load(view, now.keys);
      // Letters of another size make other lines.
      if (now.fontSize !== before.fontSize) requestAnimationFrame(() => view.requestMeasure());
    });
  }

  private async load(view: EditorView, keys: Preferences["keys"]): Promise<void> {
    const extension = await loaded(keys, this.kind.undo).catch(() => []);
    if (preferences.get().keys === keys) view.dispatch({ effects: this.keys.reconfigure(extension) });
  }
}

async function loaded(keys: Preferences["keys"], undo: Y.UndoManager): Promise<Extension> {
  if (keys === "vim") return Prec.highest((await import("./vim.ts")).vimKeys(undo));
  if (keys === "emacs") return Prec.highest((await import("./emacs.ts")).emacsKeys(undo));
  return [];
}

const wrapped = ({ wrap }: Preferences): Extension => (wrap ? EditorView.lineWrapping : []);

function numbered({ lineNumbers: wanted }: Preferences, { prose, part = false }: Kind): Extension {
  if (part) return wanted === "on" ? lineNumbers() : [];
  const shown = wanted === "on" || (wanted === "auto" && !prose);
  return [shown ? lineNumbers() : [], prose ? [] : [foldGutter({ markerDOM: marker }), keymap.of(foldKeymap)]];
}

function marker(open: boolean): HTMLElement {
  return element("span", { class: open ? "fold open" : "fold", title: t(open ? "editor.phrase.fold" : "editor.phrase.unfold") }, open ? "⌄" : "›");
}

function spelled({ spelling }: Preferences, { prose }: Kind): Extension {
  const on = spelling && prose;
  return EditorView.contentAttributes.of({ spellcheck: String(on), autocorrect: on ? "on" : "off", autocapitalize: prose ? "sentences" : "off" });
}
