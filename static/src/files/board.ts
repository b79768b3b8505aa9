/** The list of the place where one is: loaded, filtered, in order, and changed by what is done to it. */

import { Problem, type Item, type Session } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { spoken, t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { Deeds } from "./undo.ts";
import { entryOf, folderOfEntry, matches, type Entry } from "./entries.ts";
import { counted, Grid } from "./grid.ts";
import { pressed, remember, rememberedOrders, sorted, type Column, type Order } from "./order.ts";
import { addressOf, placeIn, same, type Place } from "./place.ts";
import { standing } from "./source.ts";
import { arrived, empty, refused, state, wait } from "./states.ts";
import { say } from "./toasts.ts";

export interface Watcher {
  /** Another place, another list, other rows chosen: draw what surrounds the list. */
  changed(): void;
  begin(): void;
  upload(): void;
}

export class Board {
  readonly deeds = new Deeds();
  readonly grid: Grid;
  /** Who looks; null until it is known. */
  me: Session | null = null;
  private where: Place;
  private all: readonly Entry[] = [];
  private orders = rememberedOrders();
  private query = "";
  private loading = 0;
  private loaded = false;
  /** Counts what was done with what is in the list. */
  private deed = 0;
  /** Something new may stand here. */
  private open = true;

  constructor(private readonly watcher: Watcher) {
    this.where = placeIn(location.search);
    this.grid = new Grid(part("grid"), part("rows"), () => watcher.changed());
    addEventListener("popstate", () => void this.move(placeIn(location.search)));
  }

  get place(): Place {
    return this.where;
  }

  get order(): Order {
    return this.orders[this.where.view];
  }

  /** Whether this person may make and change documents here. */
  get writable(): boolean {
    return this.me !== null && this.me.role !== "viewer" && this.open;
  }

  get entries(): readonly Entry[] {
    return this.all;
  }

  /** What is to be acted on: what is chosen, or else the row with the focus. */
  get chosen(): Entry[] {
    const { grid } = this;
    const keys = grid.selection.size > 0 ? grid.selection.in(grid.order) : [grid.current];
    return keys.flatMap((key) => grid.entry(key) ?? []);
  }

  readonly taken = (name: string): boolean => this.where.view === "files" && this.all.some((each) => each.name === name);

  /** Go somewhere else, as by a link. */
  async go(place: Place): Promise<void> {
    if (!same(place, this.where)) history.pushState(null, "", addressOf(place));
    await this.move(place);
  }

  /** Load the list; quietly when one is shown already. */
  async load(): Promise<void> {
    const number = ++this.loading;
    const { deed } = this;
    wait(this.loaded);
    try {
      const { entries, writable } = await standing(this.where);
      if (number !== this.loading) return;
      // The answer may be older than what was done meanwhile.
      if (deed !== this.deed) return await this.load();
      arrived();
      this.loaded = true;
      this.all = entries;
      this.open = writable;
      this.render();
    } catch (problem) {
      if (number !== this.loading) return;
      arrived();
      this.failed(problem);
    }
  }

  /** Show only what matches these words. */
  filter(query: string): void {
    this.query = query.trim();
    this.render();
  }

  sort(by: Column): void {
    const now = pressed(this.order, by);
    this.orders = { ...this.orders, [this.where.view]: now };
    remember(this.orders);
    this.render();
    say(t(now.down ? "files.sorted.down" : "files.sorted.up", { column: t(`files.column.${by}`) }));
  }

  /** A document or folder is new or is another than before (`former`: what it was). */
  put(item: Item, former?: Entry): void {
    const { view, folder } = this.where;
    const entry = entryOf(item);
    const old = this.all.find(({ key }) => key === (former?.key ?? entry.key));
    const belongs = view === "files" ? folderOfEntry(entry) === folder : old !== undefined && view !== "bin";
    const others = this.all.filter((each) => each !== old && each.key !== entry.key);
    this.set(belongs ? [...others, { ...entry, when: view === "recent" && old ? old.when : entry.when }] : others);
  }

  drop(keys: readonly string[]): void {
    this.set(this.all.filter(({ key }) => !keys.includes(key)));
  }

  change(key: string, fields: Partial<Entry>): void {
    this.set(this.all.map((each) => (each.key === key ? { ...each, ...fields } : each)));
  }

  private set(all: readonly Entry[]): void {
    this.deed += 1;
    this.all = all;
    this.render();
  }

  private async move(place: Place): Promise<void> {
    const former = this.where;
    this.where = place;
    if (!same(former, place)) {
      this.all = [];
      this.loaded = false;
      this.query = "";
      this.grid.selection.clear();
      this.grid.show([], place.view);
      state();
    }
    this.watcher.changed();
    await this.load();
    if (same(former, place) || !same(place, this.where)) return;
    if (this.grid.order.length > 0) this.grid.focus(this.cameFrom(former) ?? this.grid.order[0] ?? "");
    else part("main").focus();
    say(`${place.view === "files" ? fileName(place.folder) || t("files.root") : t(`files.view.${place.view}`)}: ${counted(this.grid.order.length)}`);
  }

  /** The row of the folder that one left by going up. */
  private cameFrom(former: Place): string | undefined {
    return this.grid.order.find((key) => key === `folder:${former.folder}`);
  }

  private render(): void {
    const found = this.query === "" ? this.all : this.all.filter((entry) => matches(entry, this.query));
    this.grid.show(sorted(found, this.order, spoken()), this.where.view);
    part("grid").hidden = found.length === 0;
    if (this.loaded) this.describe(found.length);
    this.watcher.changed();
  }

  private describe(count: number): void {
    if (count > 0) return state();
    if (this.query !== "") return state("", this.all.length === 0 ? "" : t("files.filter.none", { query: this.query }));
    empty(this.where, this.writable, () => this.watcher.begin(), () => this.watcher.upload());
  }

  private failed(problem: unknown): void {
    const again = { label: t("common.retry"), act: () => void this.load() };
    if (this.loaded && problem instanceof Problem && problem.status === 0) return state("", t("files.stale"), [again]);
    this.all = [];
    this.loaded = false;
    this.grid.show([], this.where.view);
    part("grid").hidden = true;
    refused(problem, this.where, () => void this.load());
    this.watcher.changed();
  }
}
