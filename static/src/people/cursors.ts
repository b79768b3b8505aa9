/**
 * The carets and selections of the others, with their names.
 *
 * The wire form (awareness field `cursor`) is y-codemirror.next's. Its own view of it sets style attributes, which our
 * Content-Security-Policy does not allow, and believes what other clients say.
 */

import { StateEffect, type Extension, type Range } from "@codemirror/state";
import { Decoration, ViewPlugin, WidgetType } from "@codemirror/view";
import type { DecorationSet, EditorView, PluginValue, ViewUpdate } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { inkOn, personIn, type Person } from "./people.ts";

/** Milliseconds between two looks at the others, and between two words about ourselves. */
const PAUSE = 50;

const moved = StateEffect.define<null>();

interface Cursor {
  anchor: number;
  head: number;
  person: Person;
}

class Caret extends WidgetType {
  constructor(
    readonly person: Person,
    readonly position: number,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    // Another position makes another element, so that the name shows again when its caret has moved.
    return other.person.name === this.person.name && other.person.color === this.person.color && other.position === this.position;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = "cm-ySelectionCaret";
    caret.dataset["name"] = this.person.name;
    caret.style.setProperty("--who", this.person.color);
    caret.style.setProperty("--ink", inkOn(this.person.color));
    caret.setAttribute("aria-hidden", "true");
    return caret;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

class Cursors implements PluginValue {
  decorations: DecorationSet;
  private looking: ReturnType<typeof setTimeout> | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly view: EditorView,
    private readonly text: Y.Text,
    private readonly awareness: Awareness,
  ) {
    this.decorations = this.drawn();
    this.awareness.on("change", this.changed);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.selectionSet || update.focusChanged) this.tellSoon();
    if (update.docChanged || update.transactions.some((transaction) => transaction.effects.some((effect) => effect.is(moved)))) {
      this.decorations = this.drawn();
    }
  }

  destroy(): void {
    this.awareness.off("change", this.changed);
    clearTimeout(this.looking);
    clearTimeout(this.telling);
  }

  private readonly changed = (who: Record<"added" | "updated" | "removed", number[]>): void => {
    const clients = [...who.added, ...who.updated, ...who.removed];
    if (clients.every((client) => client === this.awareness.clientID)) return;
    this.looking ??= setTimeout(() => {
      this.looking = undefined;
      this.view.dispatch({ effects: moved.of(null) });
    }, PAUSE);
  };

  private tellSoon(): void {
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      this.tell();
    }, PAUSE);
  }

  private tell(): void {
    if (!this.view.hasFocus || this.awareness.getLocalState() === null) return;
    const { anchor, head } = this.view.state.selection.main;
    this.awareness.setLocalStateField("cursor", {
      anchor: Y.createRelativePositionFromTypeIndex(this.text, anchor),
      head: Y.createRelativePositionFromTypeIndex(this.text, head),
    });
  }

  private drawn(): DecorationSet {
    const ranges: Range<Decoration>[] = [];
    for (const [client, state] of this.awareness.getStates()) {
      const cursor = client === this.awareness.clientID ? null : this.cursorIn(state);
      if (cursor !== null) ranges.push(...this.marks(cursor));
    }
    return Decoration.set(ranges, true);
  }

  private marks({ anchor, head, person }: Cursor): Range<Decoration>[] {
    const side = head > anchor ? -1 : 1;
    const caret = Decoration.widget({ widget: new Caret(person, head), side }).range(head);
    if (anchor === head) return [caret];
    const attributes = { style: `--who: ${person.color}` };
    return [Decoration.mark({ class: "cm-ySelection", attributes }).range(Math.min(anchor, head), Math.max(anchor, head)), caret];
  }

  private cursorIn(state: Record<string, unknown>): Cursor | null {
    const said = state["cursor"] as { anchor?: unknown; head?: unknown } | null | undefined;
    const person = personIn(state);
    const anchor = this.position(said?.anchor);
    const head = this.position(said?.head);
    return person === null || anchor === null || head === null ? null : { anchor, head, person };
  }

  private position(json: unknown): number | null {
    if (typeof json !== "object" || json === null) return null;
    try {
      const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), this.text.doc as Y.Doc);
      return found?.type === this.text ? Math.min(found.index, this.view.state.doc.length) : null;
    } catch {
      // A position that yjs cannot read is somebody else's mistake: no caret for it.
      return null;
    }
  }
}

/** Show the others' carets in this text and tell them ours. */
export function cursors(text: Y.Text, awareness: Awareness): Extension {
  return ViewPlugin.define((view) => new Cursors(view, text, awareness), { decorations: (plugin) => plugin.decorations });
}
