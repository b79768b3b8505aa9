/** The keys of the list, and those that work everywhere on the page. */

import { part } from "../base/dom.ts";
import { folderOf } from "../base/names.ts";
import type { Board } from "./board.ts";
import { inFolder } from "./place.ts";

/** What is not needed for the first look is loaded when it is wanted. */
export interface Commands {
  begin(): void;
  find(): void;
  help(): void;
  undo(): void;
  rename(): void;
  move(): void;
  remove(): void;
  star(): void;
  /** The focus goes below the list. */
  leave(): boolean;
}

const PAGE = 10;

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const isField = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.matches(FIELDS);

export function listen(board: Board, commands: Commands): void {
  part("rows").addEventListener("keydown", (event) => {
    if (!isField(event.target) && inList(board, commands, event)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (isField(event.target) || document.querySelector("dialog[open]") !== null || event.defaultPrevented) return;
    if (onPage(commands, event)) event.preventDefault();
  });
}

/** Whether the key meant something. */
function inList(board: Board, commands: Commands, event: KeyboardEvent): boolean {
  if (event.altKey) return event.key === "ArrowUp" && up(board);
  if (event.ctrlKey || event.metaKey) return event.key === "a" && chooseAll(board);
  return walk(board, commands, event) || act(board, commands, event);
}

function walk({ grid }: Board, commands: Commands, { key, shiftKey }: KeyboardEvent): boolean {
  const last = grid.order.length - 1;
  const at = grid.order.indexOf(grid.current);
  if (key === "ArrowDown" && at === last && !shiftKey) return commands.leave();
  if (key === "ArrowUp" && at === 0 && !shiftKey) {
    part("find").focus();
    return true;
  }
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -at, End: last - at };
  const by = steps[key];
  if (by !== undefined) grid.step(by, shiftKey);
  if (key === "ArrowLeft" || key === "ArrowRight") grid.along(key === "ArrowLeft" ? -1 : 1);
  return by !== undefined || key === "ArrowLeft" || key === "ArrowRight";
}

function act(board: Board, commands: Commands, { key, target }: KeyboardEvent): boolean {
  const acts: Readonly<Record<string, () => void>> = {
    F2: () => commands.rename(),
    Delete: () => commands.remove(),
    "*": () => commands.star(),
    m: () => commands.move(),
    Backspace: () => up(board),
    Escape: () => board.grid.choose((selection) => selection.clear()),
  };
  // On buttons and boxes the space bar does what it does everywhere.
  if (key === " " && target instanceof Element && target.matches(".open")) toggle(board);
  else if (acts[key] === undefined) return false;
  else acts[key]();
  return true;
}

function toggle({ grid }: Board): void {
  grid.choose((selection) => selection.toggle(grid.current));
}

function chooseAll({ grid }: Board): boolean {
  grid.choose((selection, order) => selection.all(order));
  return true;
}

function up(board: Board): boolean {
  const { view, folder } = board.place;
  if (view === "files" && folder !== "") void board.go(inFolder(folderOf(folder)));
  return true;
}

function onPage(commands: Commands, { key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean {
  if (altKey) return false;
  if (ctrlKey || metaKey) {
    if (key.toLowerCase() !== "z" || shiftKey) return false;
    commands.undo();
    return true;
  }
  const acts: Readonly<Record<string, () => void>> = { n: () => commands.begin(), "/": () => commands.find(), "?": () => commands.help() };
  acts[key]?.();
  return acts[key] !== undefined;
}
