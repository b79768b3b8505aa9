/**
 * The carets and selections of the others, with their names, drawn over and under the text: nothing of them is in it.
 *
 * The wire form (awareness field `cursor`) is y-codemirror.next's. Its own view of it sets style attributes, which our
 * Content-Security-Policy does not allow, changes the text's elements while somebody writes in them, and believes what
 * other clients say.
 */

import { Facet, type Extension } from "@codemirror/state";
import { ViewPlugin, type EditorView, type PluginValue, type ViewUpdate } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { Crowd } from "./crowd.ts";
import { Overlay } from "./overlay.ts";
import { Positions, type Caret } from "./positions.ts";
import type { Somebody } from "./presence.ts";

/** Milliseconds between two looks at the others, and between two words about ourselves. */
const PAUSE = 50;
/** Milliseconds between two words about ourselves while we type: our caret goes along with what is written before it, wherever it is shown. */
const TYPING = 500;
/** Milliseconds of one look that may go into finding positions; the others wait for the next. */
const BUDGET = 2;

interface Source {
  text: Y.Text;
  awareness: Awareness;
}

const source = Facet.define<Source, Source | null>({ combine: (values) => values[0] ?? null });

type Listener = () => void;

/** Edits made on this page in all texts of a document, for those who want to know whether we type. */
const typings = new WeakMap<Awareness, number>();

interface Changed {
  added: number[];
  updated: number[];
  removed: number[];
}

class Cursors implements PluginValue {
  private readonly text: Y.Text;
  private readonly awareness: Awareness;
  private readonly crowd: Crowd;
  private readonly positions: Positions;
  private readonly overlay: Overlay;
  private readonly unwatch: () => void;
  private readonly listeners = new Set<Listener>();
  private looking: ReturnType<typeof setTimeout> | undefined;
  private telling: ReturnType<typeof setTimeout> | undefined;
  /** When we shall speak about ourselves, and when we did last. */
  private due = Infinity;
  private told = -Infinity;

  constructor(private readonly view: EditorView) {
    const given = view.state.facet(source);
    if (given === null) throw new Error("made by cursors() only");
    this.text = given.text;
    this.awareness = given.awareness;
    this.crowd = Crowd.of(given.awareness);
    this.positions = new Positions(given.text);
    this.overlay = new Overlay(view);
    this.hear([...this.awareness.getStates().keys()]);
    this.awareness.on("change", this.changed);
    this.text.observe(this.edited);
    this.unwatch = this.crowd.watch(() => this.lookSoon());
  }

  update(update: ViewUpdate): void {
    if (update.docChanged) this.positions.map(update.changes);
    if (update.docChanged || update.selectionSet || update.focusChanged) this.tellSoon(update.docChanged && !update.focusChanged);
    if (update.docChanged) this.show();
    if (update.geometryChanged || update.viewportChanged) this.overlay.measureAll();
    if (update.docChanged) this.lookSoon();
  }

  destroy(): void {
    this.awareness.off("change", this.changed);
    this.text.unobserve(this.edited);
    this.unwatch();
    clearTimeout(this.looking);
    clearTimeout(this.telling);
    this.overlay.destroy();
  }

  /** Where a client's caret is in the editor's text; null when it is not known. */
  caretOf(client: number): Caret | null {
    return this.positions.of(client);
  }

  /** Everybody else who has a caret here, once. */
  carets(): { who: Somebody; caret: Caret }[] {
    const others = this.crowd.people.filter(({ mine }) => !mine);
    return others.flatMap((who) => {
      const caret = this.positions.of(who.client);
      return caret === null ? [] : [{ who, caret }];
    });
  }

  /** Called when carets of others are somewhere else, or other people's; gives the way to stop. */
  watch(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Show the name at this client's caret again. */
  point(client: number): void {
    this.overlay.point(client);
  }

  private readonly changed = ({ added, updated, removed }: Changed): void => {
    const clients = [...added, ...updated, ...removed].filter((client) => client !== this.awareness.clientID);
    if (clients.length === 0) return;
    this.hear(clients);
    this.lookSoon();
  };

  private hear(clients: readonly number[]): void {
    for (const client of clients) this.positions.said(client, this.awareness.getStates().get(client));
  }

  private readonly edited = (_event: Y.YTextEvent, { local }: Y.Transaction): void => {
    if (!local) return;
    typings.set(this.awareness, this.typed + 1);
    this.tellSoon(true);
  };

  private lookSoon(): void {
    this.looking ??= setTimeout(() => {
      this.looking = undefined;
      const end = performance.now() + BUDGET;
      if (!this.positions.settle(() => performance.now() < end)) this.lookSoon();
      this.show();
    }, PAUSE);
  }

  /** Without an update of the editor: nothing of it changes. */
  private show(): void {
    this.overlay.show(this.carets());
    for (const listener of this.listeners) listener();
  }

  private tellSoon(typing: boolean): void {
    const now = performance.now();
    const due = typing ? Math.max(now + PAUSE, this.told + TYPING) : now + PAUSE;
    if (due >= this.due) return;
    this.due = due;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.due = Infinity;
      this.told = performance.now();
      this.tell();
    }, due - now);
  }

  private get typed(): number {
    return typings.get(this.awareness) ?? 0;
  }

  private tell(): void {
    const state = this.awareness.getLocalState();
    if (state === null || (!this.view.hasFocus && state["typed"] === this.typed)) return;
    this.awareness.setLocalState({ ...state, ...(this.view.hasFocus && { cursor: this.cursor() }), typed: this.typed });
  }

  private cursor(): object {
    const { anchor, head } = this.view.state.selection.main;
    return {
      anchor: Y.createRelativePositionFromTypeIndex(this.text, anchor),
      head: Y.createRelativePositionFromTypeIndex(this.text, head),
    };
  }
}

const plugin = ViewPlugin.fromClass(Cursors);

/** Show the others' carets in this text and tell them ours. */
export function cursors(text: Y.Text, awareness: Awareness): Extension {
  return [source.of({ text, awareness }), plugin];
}

/** The others' carets in this view; null when it was made without `cursors`. */
export function caretsIn(view: EditorView): Cursors | null {
  return view.plugin(plugin);
}
