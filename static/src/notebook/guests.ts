/** The others in a notebook: whose caret is in which cell. */

import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { caretsIn } from "../people/cursors.ts";
import type { Crowd } from "../people/crowd.ts";
import { paint } from "../people/faces.ts";
import { field, initials } from "../people/people.ts";
import type { Places } from "../people/places.ts";
import type { Somebody } from "../people/presence.ts";
import type { CellView } from "./cell.ts";
import { cellOf, type Shared } from "./cells.ts";
import type { NotebookPage } from "./page.ts";

/** Milliseconds between two looks. */
const PAUSE = 150;
/** Faces in one cell. */
const MOST = 4;

interface Place {
  view: CellView;
  type: Shared;
  index: number;
}

export class Guests implements Places {
  private readonly listeners = new Set<() => void>();
  private shown: CellView[] = [];
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: NotebookPage,
    private readonly awareness: Awareness,
    private readonly crowd: Crowd,
  ) {
    awareness.on("change", () => this.lookSoon());
    crowd.watch(() => this.lookSoon());
    page.watch(() => this.lookSoon());
    this.lookSoon();
  }

  words({ mine, doing, client }: Somebody): string {
    if (doing === "idle") return t("people.idle");
    const place = this.placeOf(client);
    const typing = doing === "typing";
    if (place === null || (mine && doing === "reading")) return t(typing ? "people.typing" : "people.reading");
    const named = t("notebook.cell.place", { n: this.page.list.place(place.view).n });
    return t(typing ? "people.typing.in" : "people.in", { place: named });
  }

  has(client: number): boolean {
    return this.placeOf(client) !== null;
  }

  reveal(client: number, centre: boolean): void {
    const place = this.placeOf(client);
    if (place !== null) this.page.reveal(place, centre);
  }

  point(client: number): void {
    const view = this.placeOf(client)?.view.view;
    if (view) caretsIn(view)?.point(client);
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  watchOwn(listener: () => void): () => void {
    const own = (_events: unknown, { local }: Y.Transaction): void => {
      if (local) listener();
    };
    const { cells } = this.page.notebook;
    cells.observeDeep(own);
    return () => cells.unobserveDeep(own);
  }

  focus(): void {
    this.page.focus();
  }

  private lookSoon(): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.look();
    }, PAUSE);
  }

  private look(): void {
    const found = new Map<CellView, Somebody[]>();
    for (const who of this.crowd.people) {
      const place = who.mine || who.doing === "idle" ? null : this.placeOf(who.client);
      if (place !== null) found.set(place.view, [...(found.get(place.view) ?? []), who]);
    }
    for (const view of this.shown) if (!found.has(view)) show(view, []);
    for (const [view, people] of found) show(view, people);
    this.shown = [...found.keys()];
    for (const listener of this.listeners) listener();
  }

  /** Where a client says that its caret is; null for what is no place in a cell. */
  private placeOf(client: number): Place | null {
    const said = field(field(this.awareness.getStates().get(client), "cursor"), "head");
    const [item, type] = [idIn(field(said, "item")), idIn(field(said, "type"))];
    if (item === null && type === null) return null;
    try {
      const place = Y.createAbsolutePositionFromRelativePosition(new Y.RelativePosition(type, null, item, 0), this.page.notebook.document);
      const view = place === null ? null : this.page.list.viewOf(cellOf(this.page.notebook.cells, place.type));
      return place === null || view === null || view.text !== place.type ? null : { view, type: place.type, index: place.index };
    } catch {
      // A position that yjs cannot read is somebody else's mistake: no place for it.
      return null;
    }
  }
}

/** Null for what is no id of yjs. */
function idIn(said: unknown): Y.ID | null {
  const [client, clock] = [field(said, "client"), field(said, "clock")];
  const count = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  return count(client) && count(clock) ? Y.createID(client, clock) : null;
}

function show({ guests, dom }: CellView, people: readonly Somebody[]): void {
  const key = people.map(({ id, color, name }) => `${id} ${color} ${name}`).join();
  if (guests.dataset["key"] === key) return;
  guests.dataset["key"] = key;
  dom.classList.toggle("visited", people.length > 0);
  if (people[0] !== undefined) paint(dom, people[0].color);
  const faces = people.slice(0, MOST).map((who) => {
    const face = element("span", { class: "nb-guest", "data-name": who.name, title: who.name }, element("span", { "aria-hidden": "true" }, initials(who.name)), element("span", { class: "away" }, t("notebook.guest", { name: who.name })));
    paint(face, who.color);
    return face;
  });
  const more = people.length > MOST ? [element("span", { class: "nb-guest more" }, `+${people.length - MOST}`)] : [];
  guests.replaceChildren(...faces, ...more);
}
