/** The menu of one row: everything that can be done with it, for fingers and for whoever does not know the keys. */

import "../styles/files-dialogs.css";

import { find, lease, readAddress } from "../base/api.ts";
import { element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { heldWords } from "../office/held.ts";
import { labelOf, offers, officeAddress } from "../office/offers.ts";
import { bringBack, destroy, download, duplicate, mark, present, remove } from "./acts.ts";
import { beside } from "./beside.ts";
import type { Board } from "./board.ts";
import { isMarkdownEntry, type Entry } from "./entries.ts";
import { edit } from "./rename.ts";
import { transfer } from "./transfer.ts";

interface Item {
  /** What it is called in tests and by the page's own scripts. */
  readonly name: string;
  readonly label: string;
  readonly icon: Icon;
  readonly act: () => void;
}

const item = (label: Key, picture: Icon, act: () => void): Item => ({ name: label, label: t(label), icon: picture, act });

function items(board: Board, entry: Entry): Item[] {
  const back = item("files.act.restore", "restore", () => void bringBack(board, [entry]));
  if (entry.binned !== null) return [back, item("files.act.purge", "trash", () => void destroy(board, [entry]))];
  const follow = (): void => board.grid.row(entry.key)?.querySelector<HTMLElement>(".open")?.click();
  const open = item("files.act.open", entry.isFolder ? "folder" : "text", follow);
  const get = item("files.act.download", "download", () => void download([entry]));
  const changes = [
    item("files.act.rename", "pencil", () => edit(board, entry)),
    item("files.act.move", "move", () => void transfer(board, [entry])),
    ...(entry.isFolder ? [] : [item("files.act.duplicate", "copy", () => void duplicate(board, entry))]),
  ];
  const shows = [
    ...(entry.isFolder ? [] : [item(entry.starred ? "files.act.unstar" : "files.act.star", "star", () => void mark(board, entry))]),
    ...(entry.isFolder ? [] : [item("about.menu", "tag", () => void about(board, entry))]),
    ...(entry.isFolder || lease !== null ? [] : [item("files.act.read", "preview", () => location.assign(readAddress(entry.path)))]),
    ...(isMarkdownEntry(entry) && lease === null ? [item("files.act.present", "present", () => present(entry))] : []),
  ];
  const share = item("sharing.menu", "share", () => void showSharing(entry));
  const away = item("files.act.delete", "trash", () => void remove(board, [entry]));
  const mine = board.writable && !entry.readOnly;
  return [open, ...inSuites(entry, !mine), ...shows, ...(entry.readOnly ? [] : [share]), ...(mine ? changes : []), get, ...(mine ? [away] : [])];
}

/** "Open with": each suite and what it does with such a file. */
function inSuites(entry: Entry, readOnly: boolean): Item[] {
  // A suite has a page of its own, which no token comes to from a frame.
  if (entry.isFolder || lease !== null) return [];
  return offers(entry.name, readOnly).map((offer) => ({
    name: `office.open.${offer.action}`,
    label: labelOf(offer),
    icon: offer.action === "edit" ? "pencil" : "preview",
    act: () => location.assign(officeAddress(entry.path, offer)),
  }));
}

/** What is said about it. */
async function about(board: Board, entry: Entry): Promise<void> {
  const { showAbout } = await import("../about/window.ts");
  showAbout({ document: entry.id, name: entry.name, readOnly: entry.readOnly, changed: ({ tags }) => board.change(entry.key, { tags }) });
}

/** A folder is known by its path. */
async function showSharing({ isFolder, path, id, name }: Entry): Promise<void> {
  const window = await import("../sharing/dialog.ts");
  window.showSharing({ name: isFolder ? path : id, title: name });
}

/** Show the menu at its button; arrows walk, Escape closes, and the focus comes back. */
export function showMenu(board: Board, entry: Entry, anchor: HTMLElement): void {
  const menu = element("div", { class: "menu row-menu", role: "menu", popover: "auto", "aria-label": t("files.more", { name: entry.name }) });
  const rows = items(board, entry).map(({ name, label, icon: picture, act }) => {
    const made = element("button", { type: "button", role: "menuitem", "data-act": name }, icon(picture), label);
    made.addEventListener("click", () => {
      menu.hidePopover();
      act();
    });
    return made;
  });
  menu.append(...rows);
  menu.addEventListener("keydown", (event) => walk(event, rows));
  menu.addEventListener("toggle", ({ newState }) => {
    anchor.setAttribute("aria-expanded", String(newState === "open"));
    if (newState === "closed") menu.remove();
  });
  part("main").append(menu);
  menu.showPopover();
  beside(menu, anchor);
  rows[0]?.focus();
  if (!entry.isFolder && entry.binned === null) void tellHeld(entry, menu);
}

/** Who has it open on a desktop is asked for when somebody is about to do something with it. */
async function tellHeld({ id }: Entry, menu: HTMLElement): Promise<void> {
  const { held } = await find(id).catch(() => ({ held: undefined }));
  if (held !== undefined) menu.append(element("button", { type: "button", role: "menuitem", class: "fact", disabled: true }, heldWords(held, "line")));
}

function walk(event: KeyboardEvent, rows: readonly HTMLElement[]): void {
  event.stopPropagation();
  const at = rows.findIndex((each) => each === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  rows[(to + rows.length) % rows.length]?.focus();
}
