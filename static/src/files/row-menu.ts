/** The menu of one row: everything that can be done with it, for fingers and for whoever does not know the keys. */

import "../styles/files-dialogs.css";

import { element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { bringBack, destroy, download, duplicate, mark, present, remove } from "./acts.ts";
import { beside } from "./beside.ts";
import type { Board } from "./board.ts";
import { isMarkdownEntry, type Entry } from "./entries.ts";
import { edit } from "./rename.ts";
import { transfer } from "./transfer.ts";

interface Item {
  readonly label: Key;
  readonly icon: Icon;
  readonly act: () => void;
}

function items(board: Board, entry: Entry): Item[] {
  const back: Item = { label: "files.act.restore", icon: "restore", act: () => void bringBack(board, [entry]) };
  if (entry.binned !== null) return [back, { label: "files.act.purge", icon: "trash", act: () => void destroy(board, [entry]) }];
  const follow = (): void => board.grid.row(entry.key)?.querySelector<HTMLElement>(".open")?.click();
  const open: Item = { label: "files.act.open", icon: entry.isFolder ? "folder" : "text", act: follow };
  const get: Item = { label: "files.act.download", icon: "download", act: () => void download([entry]) };
  const changes: Item[] = [
    { label: "files.act.rename", icon: "pencil", act: () => edit(board, entry) },
    { label: "files.act.move", icon: "move", act: () => void transfer(board, [entry]) },
    ...(entry.isFolder ? [] : [{ label: "files.act.duplicate", icon: "copy", act: () => void duplicate(board, entry) } as const]),
  ];
  const starring: Key = entry.starred ? "files.act.unstar" : "files.act.star";
  const shows: Item[] = [
    ...(entry.isFolder ? [] : [{ label: starring, icon: "star", act: () => void mark(board, entry) } as const]),
    ...(isMarkdownEntry(entry) ? [{ label: "files.act.present", icon: "present", act: () => present(entry) } as const] : []),
  ];
  const away: Item = { label: "files.act.delete", icon: "trash", act: () => void remove(board, [entry]) };
  const mine = board.writable && !entry.readOnly;
  return [open, ...shows, ...(mine ? changes : []), get, ...(mine ? [away] : [])];
}

/** Show the menu at its button; arrows walk, Escape closes, and the focus comes back. */
export function showMenu(board: Board, entry: Entry, anchor: HTMLElement): void {
  const menu = element("div", { class: "menu row-menu", role: "menu", popover: "auto", "aria-label": t("files.more", { name: entry.name }) });
  const rows = items(board, entry).map(({ label, icon: picture, act }) => {
    const made = element("button", { type: "button", role: "menuitem", "data-act": label }, icon(picture), t(label));
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
}

function walk(event: KeyboardEvent, rows: readonly HTMLElement[]): void {
  event.stopPropagation();
  const at = rows.findIndex((each) => each === document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  rows[(to + rows.length) % rows.length]?.focus();
}
