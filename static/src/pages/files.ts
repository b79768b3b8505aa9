/** The files: browse, find, make, move, and put away. */

import { lease, session } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { base } from "../base/page.ts";
import { post } from "../base/posted.ts";
import { begin } from "../base/start.ts";
import { beside } from "../files/beside.ts";
import { Board } from "../files/board.ts";
import { Drag } from "../files/drag.ts";
import { picked } from "../files/dropped.ts";
import { askedTag, type Entry } from "../files/entries.ts";
import { Chosen, showHeads, showTrail, showViews } from "../files/head.ts";
import { listen } from "../files/keys.ts";
import { showMe } from "../files/me.ts";
import { placeIn, same, type Place } from "../files/place.ts";
import { lead } from "../files/rows.ts";
import { toast } from "../files/toasts.ts";
import { knownSuites } from "../office/offers.ts";
import type { Results } from "../files/results.ts";

/** Milliseconds after the last key until the server is asked. */
const PAUSE = 250;
/** Milliseconds after the list until what else may be wanted is loaded. */
const IDLE = 300;
/** Letters that are worth a search of all documents. */
const ENOUGH = 2;
/** Milliseconds after which a list is loaded again when one comes back to the page. */
const STALE = 5000;

const acts = (): Promise<typeof import("../files/acts.ts")> => import("../files/acts.ts");

class FilesPage {
  private readonly board = new Board({ changed: () => this.draw(), begin: () => this.begin(), upload: () => part("upload-files").click() });
  private readonly chosen: Chosen;
  private readonly find = part("find") as HTMLInputElement;
  private results: Results | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private loadedAt = 0;
  private drawn = "";
  private at: Place | null = null;

  constructor() {
    const { board } = this;
    const chosen = (act: (entries: Entry[]) => Promise<void>) => () => void act(board.chosen);
    const remove = chosen(async (entries) => (await acts()).remove(board, entries));
    const move = chosen(async (entries) => (await import("../files/transfer.ts")).transfer(board, entries));
    const download = chosen(async (entries) => (await acts()).download(entries));
    const restore = chosen(async (entries) => (await acts()).bringBack(board, entries));
    const purge = chosen(async (entries) => (await acts()).destroy(board, entries));
    const away = (): void => (board.place.view === "bin" ? purge() : this.changing(remove));
    this.chosen = new Chosen(board, { move, download, remove, restore, purge });
    listen(board, {
      begin: () => this.begin(),
      find: () => this.find.focus(),
      help: () => this.help(),
      undo: () => void acts().then(({ takeBack }) => takeBack(board)),
      rename: () => this.changing(() => this.rename()),
      move: () => this.changing(move),
      remove: away,
      star: () => this.star(board.grid.entry(board.grid.current)),
      leave: () => this.results?.focus() ?? false,
    });
    new Drag(board);
    this.furnish();
    this.draw();
  }

  async start(): Promise<void> {
    // The list need not wait for the person, nor the person for the list.
    const known = session().then(
      (me) => {
        this.board.me = me;
        showMe(me, () => this.help());
        this.draw();
      },
      () => null,
    );
    await Promise.all([known, this.load()]);
    if (this.board.entries.length === 0 && this.board.me !== null) this.board.filter("");
    void this.leadToSuites();
    void this.conflicts();
    // What the next key may want is there before it is pressed.
    setTimeout(() => void Promise.allSettled([acts(), import("../files/rename.ts"), import("../files/create.ts")]), IDLE);
  }

  /** Files that are no texts open in office suites, once these are known. */
  private async leadToSuites(): Promise<void> {
    if (lease !== null || this.board.me === null || (await knownSuites()).length === 0) return;
    for (const row of part("rows").querySelectorAll<HTMLElement>(".entry.file")) {
      const entry = this.board.grid.entryAt(row);
      if (entry !== null && entry.binned === null) lead(row, entry);
    }
  }

  /** Who can do something about them is told of saves that could not be taken. */
  private async conflicts(): Promise<void> {
    if (!this.board.writable) return;
    // Nobody asked for it: without a network there is nothing to tell.
    const loaded = await import("../files/conflicts.ts").catch(() => null);
    await loaded?.tellConflicts();
  }

  private async load(): Promise<void> {
    this.loadedAt = Date.now();
    await this.board.load();
  }

  /** What one can change nothing of is not asked about. */
  private changing(act: () => void): void {
    if (this.board.writable && this.board.place.view !== "bin" && !this.board.chosen.some(({ readOnly }) => readOnly)) act();
  }

  private rename(): void {
    const entry = this.board.grid.entry(this.board.grid.current);
    if (entry !== null) void import("../files/rename.ts").then(({ edit }) => edit(this.board, entry));
  }

  private star(entry: Entry | null): void {
    if (entry !== null && !entry.isFolder && entry.binned === null) void acts().then(({ mark }) => mark(this.board, entry));
  }

  private begin(): void {
    if (this.board.writable) void import("../files/create.ts").then(({ create }) => create(this.board));
  }

  private help(): void {
    void import("../files/keys-window.ts").then(({ showKeys }) => showKeys());
  }

  private furnish(): void {
    for (const [id, name] of [["new", "plus"], ["upload", "upload"]] as const) part(id).prepend(icon(name));
    part("search").prepend(icon("search"));
    part("new").addEventListener("click", () => this.begin());
    part("all").addEventListener("click", () => this.chooseAll());
    this.find.addEventListener("input", () => this.typed());
    this.find.addEventListener("keydown", (event) => this.fromField(event));
    part("search").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("click", (event) => this.clicked(event));
    part("upload-menu").addEventListener("toggle", () => beside(part("upload-menu"), part("upload")));
    for (const id of ["upload-files", "upload-folder"]) part(id).addEventListener("change", (event) => this.picked(event.target as HTMLInputElement));
    for (const [id, field] of [["menu-files", "upload-files"], ["menu-folder", "upload-folder"]] as const) {
      part(id).addEventListener("click", () => {
        part("upload-menu").hidePopover();
        part(field).click();
      });
    }
    // Parts that are loaded when they are wanted do not come without a network, or after the server got a newer client.
    addEventListener("vite:preloadError", () => {
      toast(t("files.fail.part"), [{ label: t("files.reload"), act: () => location.reload() }], "grave");
    });
    addEventListener("online", () => void this.load());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && Date.now() - this.loadedAt > STALE && !part("rows").querySelector("form")) void this.load();
    });
  }

  private chooseAll(): void {
    this.board.grid.choose((selection, order) => (selection.size === order.length ? selection.clear() : selection.all(order)));
  }

  private picked(field: HTMLInputElement): void {
    const files = picked([...(field.files ?? [])]);
    field.value = "";
    const { place } = this.board;
    void import("../files/uploads.ts").then(({ upload }) => upload(this.board, place.folder, files));
  }

  /** Links to places of this page load no new page; buttons of rows. */
  private clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || !(event.target instanceof Element)) return;
    const link = event.target.closest("a");
    if (link !== null && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) return this.follow(link, event);
    const button = event.target.closest<HTMLElement>("#rows button");
    const entry = this.board.grid.entryAt(button);
    if (button === null || entry === null) return;
    if (button.matches(".star")) return this.star(entry);
    if (button.dataset["tag"] !== undefined) return this.lookFor(askedTag(button.dataset["tag"]));
    if (button.matches(".back")) return void acts().then(({ bringBack }) => bringBack(this.board, [entry]));
    void import("../files/row-menu.ts").then(({ showMenu }) => showMenu(this.board, entry, button));
  }

  private follow(link: HTMLAnchorElement, event: MouseEvent): void {
    if (lease !== null && link.origin === location.origin && link.pathname.startsWith(`${base}/edit/`)) {
      event.preventDefault();
      return post(link.href);
    }
    if (link.origin !== location.origin || link.pathname !== `${base}/` || link.hasAttribute("download")) return;
    event.preventDefault();
    this.clear();
    void this.board.go(placeIn(link.search));
  }

  /** As if it were typed into the search. */
  private lookFor(query: string): void {
    this.find.value = query;
    this.find.focus();
    this.typed();
  }

  private typed(): void {
    clearTimeout(this.timer);
    const query = this.find.value.trim();
    this.board.filter(query);
    if (query.length < ENOUGH || this.board.place.view === "bin") return void this.results?.find("");
    this.timer = setTimeout(() => void this.search(query), PAUSE);
  }

  private async search(query: string): Promise<void> {
    const { Results } = await import("../files/results.ts");
    this.results ??= new Results(this.board, () => this.everywhere());
    if (this.find.value.trim() === query) await this.results.find(query);
  }

  /** What stands in the field now: also the letters of the last moment. */
  private everywhere(): void {
    clearTimeout(this.timer);
    void this.results?.find(this.find.value.trim(), true);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.find.value = "";
    this.board.filter("");
    void this.results?.find("");
  }

  private fromField(event: KeyboardEvent): void {
    const { grid } = this.board;
    if (event.key === "Escape") {
      if (this.find.value === "") grid.focus(grid.current);
      else this.clear();
    } else if (event.key === "ArrowDown") {
      if (grid.order.length > 0) grid.focus(grid.order[0] ?? "");
      else this.results?.focus();
    } else return;
    event.preventDefault();
  }

  private draw(): void {
    const { place, writable, order } = this.board;
    this.chosen.draw();
    const drawn = JSON.stringify([place, writable, order]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    showHeads(this.board);
    part("make").hidden = !writable || place.view !== "files";
    if (this.at === null || !same(this.at, place)) this.arrive(place);
  }

  private arrive(place: Place): void {
    this.at = place;
    showViews(this.board);
    showTrail(this.board);
    this.find.placeholder = t(place.view === "bin" ? "files.find.bin" : "files.find");
    document.body.dataset["view"] = place.view;
    clearTimeout(this.timer);
    this.find.value = "";
    void this.results?.find("");
  }
}

async function start(): Promise<void> {
  await begin();
  await new FilesPage().start();
}

void start();
