/** The list as a grid for mouse, keyboard and screen reader: one row has the focus, any number are chosen. */

import { t } from "../base/messages.ts";
import type { Entry } from "./entries.ts";
import type { View } from "./place.ts";
import { CONTROLS, row } from "./rows.ts";
import { Selection } from "./selection.ts";

/** Rows that are made at once; what a first screen never shows comes in slices, while nobody waits. */
const FIRST = 120;
const SLICE = 250;

interface Made {
  readonly entry: Entry;
  readonly element: HTMLElement;
}

export class Grid {
  readonly selection = new Selection();
  private entries: readonly Entry[] = [];
  private keys: string[] = [];
  private made = new Map<string, Made>();
  private view: View = "files";
  private now = "";
  private shown = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called when other rows are chosen or another has the focus. */
  constructor(
    private readonly root: HTMLElement,
    private readonly body: HTMLElement,
    private readonly changed: () => void,
  ) {
    body.addEventListener("focusin", ({ target }) => this.focused(target));
    body.addEventListener("click", (event) => this.clicked(event), { capture: true });
  }

  /** The key of the row that has the focus, or had it last. */
  get current(): string {
    return this.now;
  }

  get order(): readonly string[] {
    return this.keys;
  }

  entry(key: string): Entry | null {
    return this.made.get(key)?.entry ?? this.entries.find((each) => each.key === key) ?? null;
  }

  /** The row of something inside it. */
  entryAt(target: EventTarget | null): Entry | null {
    const key = target instanceof Element ? target.closest<HTMLElement>("[role=row]")?.dataset["key"] : undefined;
    return key === undefined ? null : this.entry(key);
  }

  row(key: string): HTMLElement | null {
    if (!this.made.has(key) && this.keys.includes(key)) this.complete();
    return this.made.get(key)?.element ?? null;
  }

  show(entries: readonly Entry[], view: View): void {
    const focus = this.remembered();
    const former = view === this.view ? this.made : new Map<string, Made>();
    this.view = view;
    this.entries = entries;
    this.keys = entries.map(({ key }) => key);
    this.selection.prune(this.keys);
    this.made = new Map();
    const known = entries.flatMap((entry) => kept(former.get(entry.key), entry));
    for (const each of known) this.made.set(each.entry.key, each);
    if (!this.made.has(this.now) && !this.keys.includes(this.now)) this.now = this.keys[Math.max(0, Math.min(focus.at, this.keys.length - 1))] ?? "";
    clearTimeout(this.waiting);
    this.shown = 0;
    const first = entries.length - known.length > FIRST ? FIRST : entries.length;
    const staying = new Set<Element>(entries.slice(0, first).flatMap(({ key }) => this.made.get(key)?.element ?? []));
    for (const row of [...this.body.children]) if (!staying.has(row)) row.remove();
    this.add(first);
    this.root.setAttribute("aria-rowcount", String(entries.length + 1));
    this.mark();
    if (focus.had) this.focus(this.now, focus.control);
  }

  /** All the rows there are, now. */
  complete(): void {
    clearTimeout(this.waiting);
    this.add(this.entries.length - this.shown);
  }

  /** Give a row the focus, at its name or at another of its controls. */
  focus(key: string, control = ".open"): void {
    const target = this.row(key);
    if (target === null) return;
    (target.querySelector<HTMLElement>(control) ?? target.querySelector<HTMLElement>(".open"))?.focus();
    target.scrollIntoView({ block: "nearest" });
  }

  /** Move the focus by rows, as far as there are any; `extend` chooses everything on the way. */
  step(by: number, extend = false): void {
    const from = this.keys.indexOf(this.now);
    const to = this.keys[Math.max(0, Math.min(this.keys.length - 1, from + by))];
    if (to === undefined) return;
    if (extend) {
      this.selection.extend(this.keys, to, this.now);
      this.mark();
    }
    this.focus(to);
  }

  /** Move the focus to the next or last control of the row. */
  along(by: 1 | -1): void {
    const controls = [...(this.row(this.now)?.querySelectorAll<HTMLElement>(CONTROLS) ?? [])].filter((each) => each.checkVisibility());
    controls[controls.indexOf(document.activeElement as HTMLElement) + by]?.focus();
  }

  choose(change: (selection: Selection, order: readonly string[]) => void): void {
    change(this.selection, this.keys);
    this.mark();
  }

  /** The next rows. Those that are in their places already stay untouched: whoever is just pressing one still clicks it. */
  private add(count: number): void {
    const next = this.entries.slice(this.shown, this.shown + count).map((entry, index) => this.element(entry, this.shown + index));
    let place = this.body.children[this.shown] ?? null;
    for (const element of next) {
      if (element === place) place = place.nextElementSibling;
      else this.body.insertBefore(element, place);
    }
    this.shown += next.length;
    if (this.shown < this.entries.length) this.waiting = setTimeout(() => this.add(SLICE));
  }

  private element(entry: Entry, index: number): HTMLElement {
    const made = this.made.get(entry.key) ?? { entry, element: row(entry, this.view) };
    this.made.set(entry.key, made);
    made.element.setAttribute("aria-rowindex", String(index + 2));
    this.dress(entry.key, made.element);
    return made.element;
  }

  private dress(key: string, element: HTMLElement): void {
    const chosen = this.selection.has(key);
    element.setAttribute("aria-selected", String(chosen));
    const box = element.querySelector("input");
    if (box !== null) box.checked = chosen;
    element.querySelector(".open")?.setAttribute("tabindex", key === this.now ? "0" : "-1");
  }

  private mark(): void {
    for (const [key, { element }] of this.made) this.dress(key, element);
    this.root.classList.toggle("choosing", this.selection.size > 0);
    this.changed();
  }

  private remembered(): { had: boolean; at: number; control: string } {
    const active = document.activeElement;
    const had = active !== null && this.body.contains(active);
    const control = ["input", ".star", ".back", ".more"].find((each) => had && active.matches(each)) ?? ".open";
    return { had, at: this.keys.indexOf(this.now), control };
  }

  private focused(target: EventTarget | null): void {
    const entry = this.entryAt(target);
    if (entry === null || entry.key === this.now) return;
    const before = this.made.get(this.now);
    this.now = entry.key;
    for (const each of [before, this.made.get(this.now)]) if (each !== undefined) this.dress(each.entry.key, each.element);
    this.changed();
  }

  /** Boxes choose, and with the Shift key so does every place of a row. */
  private clicked(event: MouseEvent): void {
    const entry = this.entryAt(event.target);
    if (entry === null || !(event.target instanceof Element)) return;
    const box = event.target.closest(".pick") !== null;
    if (!box && !event.shiftKey) return;
    // What the box shows is what is chosen, not what the browser makes of the click: see `dress`.
    if (!event.target.matches("input")) event.preventDefault();
    event.stopPropagation();
    const { key } = entry;
    const from = this.now;
    this.now = key;
    setTimeout(() => this.choose((selection, order) => (event.shiftKey ? selection.extend(order, key, from) : selection.toggle(key))));
  }
}

function kept(former: Made | undefined, entry: Entry): Made[] {
  return former !== undefined && JSON.stringify(former.entry) === JSON.stringify(entry) ? [{ entry, element: former.element }] : [];
}

/** How many entries there are, in words. */
export const counted = (n: number): string => t("files.count", { n });
