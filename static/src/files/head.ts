/** What surrounds the list: where one is, the heads of the columns, and what can be done with the rows that are chosen. */

import { lease } from "../base/api.ts";
import { button, element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { fileName, trail } from "../base/names.ts";
import type { Board } from "./board.ts";
import { COLUMNS } from "./order.ts";
import { addressOf, inFolder, VIEWS, type View } from "./place.ts";

const ICONS: Readonly<Record<View, Icon>> = { files: "folder", recent: "clock", starred: "star", bin: "trash" };
const WHEN: Readonly<Record<View, Key>> = {
  files: "files.column.when",
  starred: "files.column.when",
  recent: "files.column.opened",
  bin: "files.column.deleted",
};

/** The views as links: they have addresses. */
export function showViews({ place }: Board): void {
  // In a cloud's frame there are the files around a document; all else is in the cloud's own page.
  const items = VIEWS.filter((view) => lease === null || view === "files").map((view) => {
    const current = view === place.view && { "aria-current": "page" };
    const link = element("a", { href: addressOf({ view, folder: "" }), ...current }, icon(ICONS[view]), t(`files.view.${view}`));
    return element("li", {}, link);
  });
  const former = part("views");
  const focused = [...former.querySelectorAll("a")].findIndex((each) => each === document.activeElement);
  former.replaceChildren(...items);
  if (focused >= 0) former.querySelectorAll("a")[focused]?.focus();
}

/** The way from the root to this folder, or the name of the view. */
export function showTrail({ place }: Board): void {
  const parts = place.view === "files" ? [{ name: t("files.root"), path: "" }, ...trail(place.folder)] : [];
  const title = place.view === "files" ? fileName(place.folder) || t("files.root") : t(`files.view.${place.view}`);
  const links = parts.slice(0, -1).map(({ name, path }) => element("a", { href: addressOf(inFolder(path)) }, element("bdi", {}, name)));
  const items = links.map((link) => element("li", {}, link));
  part("trail").replaceChildren(...items, element("li", {}, element("h1", { "aria-current": "page" }, element("bdi", {}, title))));
  document.title = `${title} · collab`;
}

/** The heads sort; which one, and which way, is told by `aria-sort` and an arrow. */
export function showHeads(board: Board): void {
  const { by, down } = board.order;
  for (const column of COLUMNS) {
    const head = part(`head-${column}`);
    const sort = head.querySelector("button") ?? head.appendChild(button("", () => board.sort(column), "sort"));
    const label = column === "when" ? WHEN[board.place.view] : (`files.column.${column}` as const);
    sort.replaceChildren(t(label), ...(by === column ? [icon(down ? "down" : "up")] : []));
    if (by === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

interface Acts {
  move(): void;
  download(): void;
  remove(): void;
  restore(): void;
  purge(): void;
}

/** The bar that is there while rows are chosen. */
export class Chosen {
  private readonly bar = part("chosen");
  private readonly count = element("span", { class: "count" });
  private drawn = "";

  constructor(
    private readonly board: Board,
    private readonly acts: Acts,
  ) {}

  draw(): void {
    const { grid, place, writable } = this.board;
    const { size } = grid.selection;
    this.bar.hidden = size === 0;
    this.count.textContent = t("files.chosen", { n: size });
    const all = part("all") as HTMLInputElement;
    all.checked = size > 0 && size === grid.order.length;
    all.indeterminate = size > 0 && size < grid.order.length;
    const kind = `${place.view === "bin"} ${writable}`;
    if (kind === this.drawn) return;
    this.drawn = kind;
    const none = element("button", { type: "button", class: "pic", "aria-label": t("files.chosen.none") }, icon("close"));
    none.addEventListener("click", () => grid.choose((selection) => selection.clear()));
    this.bar.replaceChildren(none, this.count, ...this.controls(place.view === "bin", writable));
  }

  private controls(binned: boolean, writable: boolean): HTMLElement[] {
    const { acts } = this;
    if (binned) return [control("files.act.restore", "restore", () => acts.restore()), control("files.act.purge", "trash", () => acts.purge())];
    const get = control("files.act.download", "download", () => acts.download());
    if (!writable) return [get];
    return [control("files.act.move", "move", () => acts.move()), get, control("files.act.delete", "trash", () => acts.remove())];
  }
}

function control(label: Key, picture: Icon, act: () => void): HTMLButtonElement {
  const made = button("", act, "quiet");
  made.append(icon(picture), element("span", { class: "label" }, t(label)));
  return made;
}
