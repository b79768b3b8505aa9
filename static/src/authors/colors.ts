/** The text in the colours of those who wrote it: what the server knows, and at once what is typed since. */

import { Compartment, RangeSetBuilder, StateEffect } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";

import "../styles/authors.css";
import type { Desk } from "../editor/desk.ts";
import { Palette } from "../people/colors.ts";
import { Crowd } from "../people/crowd.ts";
import { personIn } from "../people/people.ts";
import { preferences } from "../settings/preferences.ts";
import { ask, called, type Author, type Authors } from "./authors.ts";
import { Legend } from "./legend.ts";
import { runsIn, Whose, type Run } from "./runs.ts";

/** So many people have colours of their own; more would not be told apart. */
export const COLORS = 24;
/** Milliseconds after which the server is asked again whose an unknown client is. */
const UNKNOWN = 1500;
/** A look at the whole text may take this part of the time. */
const SHARE = 0.1;

const redraw = StateEffect.define<null>();

/** The colours of one editor. */
class Colors {
  private readonly place = new Compartment();
  private readonly crowd: Crowd;
  private readonly palette = new Palette();
  private readonly legend: Legend;
  /** Whose page each client is or was: who leaves stays an author. */
  private readonly pages = new Map<number, string>();
  private known: Authors = { characters: 0, authors: [], clients: {} };
  private whose = new Whose(this.known, () => null);
  private runs: Run[] = [];
  private marks: readonly (Decoration | null)[] = [];
  private on = false;
  private frame: ReturnType<typeof setTimeout> | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private took = 0;

  constructor(private readonly desk: Desk) {
    this.crowd = Crowd.of(desk.awareness);
    this.legend = new Legend(() => preferences.set({ authors: false }));
    desk.awareness.on("change", () => this.meet());
    desk.watch(({ docChanged }) => docChanged && this.on && this.lookSoon());
    desk.view.dispatch({ effects: StateEffect.appendConfig.of(this.place.of([])) });
  }

  /** Show the colours, or hide them. */
  async show(on: boolean): Promise<void> {
    if (on === this.on) return;
    this.on = on;
    if (on) await this.ask();
    if (on !== this.on) return;
    this.desk.view.dispatch({ effects: this.place.reconfigure(on ? this.plugin() : []) });
    this.desk.view.dom.classList.toggle("authors", on);
    this.legend.show(on ? this.shown() : []);
  }

  private async ask(): Promise<void> {
    const known = await ask(this.desk.path).catch(() => null);
    if (known !== null) this.known = { ...known, authors: [...known.authors] };
    this.meet();
    this.whose = new Whose(this.known, (client) => this.author(client));
    this.look();
  }

  /** Whose pages are open: their people are authors as soon as they type. */
  private meet(): void {
    const states = this.desk.awareness.getStates();
    for (const [client, state] of states) {
      const person = personIn(state);
      if (person !== null) this.pages.set(client, person.id);
    }
  }

  private author(client: number): number | null {
    const id = this.pages.get(client);
    if (id === undefined) return this.askSoon();
    const place = this.known.authors.findIndex((each) => each.id === id);
    if (place >= 0) return place;
    const person = this.crowd.person(id);
    if (person === undefined) return this.askSoon();
    const now = new Date().toISOString();
    const fresh: Author = { kind: "person", id, name: person.name, color: person.color, characters: 0, relayed: 0, deleted: 0, first: now, last: now };
    return (this.known.authors as Author[]).push(fresh) - 1;
  }

  private askSoon(): null {
    this.asking ??= setTimeout(() => {
      this.asking = undefined;
      if (this.on) void this.ask();
    }, UNKNOWN);
    return null;
  }

  private lookSoon(): void {
    this.frame ??= setTimeout(() => {
      this.frame = undefined;
      if (this.on) this.look();
    }, this.took / SHARE);
  }

  private look(): void {
    const began = performance.now();
    const before = this.known.authors.length;
    this.runs = runsIn(this.desk.text, this.whose);
    this.took = performance.now() - began;
    if (this.marks.length === 0 || before !== this.known.authors.length || before !== this.marks.length) this.paint();
    this.desk.view.dispatch({ effects: redraw.of(null) });
  }

  /** A class for each author; the classes' colours are the editor's own. */
  private paint(): void {
    let place = 0;
    this.marks = this.known.authors.map((author) => {
      if (author.kind === "file") return null;
      const person = author.kind === "person" && place < COLORS;
      const name = person ? `cm-author cm-author-${place}` : "cm-author cm-author-other";
      if (person) this.desk.view.dom.style.setProperty(`--author-${place++}`, this.color(author));
      return Decoration.mark({ class: name, attributes: { title: called(author), "data-author": called(author) } });
    });
    if (this.on) this.legend.show(this.shown());
  }

  /** As at the caret of who is here. */
  private color({ id, color }: Author): string {
    return this.crowd.person(id)?.color ?? this.palette.color(id, color);
  }

  private shown(): { name: string; color: string | null }[] {
    let people = 0;
    const there = new Set(this.runs.map(({ author }) => author));
    return this.known.authors.flatMap((author, place) => {
      const colored = author.kind === "person" && people++ < COLORS;
      return author.kind !== "file" && there.has(place) ? [{ name: called(author), color: colored ? this.color(author) : null }] : [];
    });
  }

  private plugin(): ViewPlugin<{ decorations: DecorationSet }> {
    const drawn = (view: EditorView): DecorationSet => this.drawn(view);
    return ViewPlugin.define(
      (view) => ({
        decorations: drawn(view),
        update(update: ViewUpdate): void {
          const asked = update.transactions.some((each) => each.effects.some((effect) => effect.is(redraw)));
          if (asked || update.viewportChanged) this.decorations = drawn(update.view);
          else if (update.docChanged) this.decorations = this.decorations.map(update.changes);
        },
      }),
      { decorations: (each) => each.decorations },
    );
  }

  /** Only what is on the screen. */
  private drawn(view: EditorView): DecorationSet {
    const builder = new RangeSetBuilder<Decoration>();
    const { length } = view.state.doc;
    for (const { from, to } of view.visibleRanges) {
      for (let at = this.at(from); at < this.runs.length; at += 1) {
        const run = this.runs[at];
        if (run === undefined || run.from >= to) break;
        const mark = run.author === null ? null : (this.marks[run.author] ?? null);
        const [start, end] = [Math.max(run.from, from), Math.min(run.to, to, length)];
        if (mark !== null && start < end) builder.add(start, end, mark);
      }
    }
    return builder.finish();
  }

  private at(from: number): number {
    let [low, high] = [0, this.runs.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.runs[middle]?.from ?? 0) <= from) low = middle;
      else high = middle;
    }
    return low;
  }
}

const made = new WeakMap<EditorView, Colors>();

/** The colours of this text are shown, or not, as the person prefers. */
export function colorsIn(desk: Desk): void {
  const colors = made.get(desk.view) ?? new Colors(desk);
  made.set(desk.view, colors);
  void colors.show(preferences.get().authors);
}
