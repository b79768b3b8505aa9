/** Dragging: rows onto folders, and files from the computer onto the page. */

import { element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import type { Board } from "./board.ts";
import { dropped } from "./dropped.ts";
import type { Entry } from "./entries.ts";
import { placeIn } from "./place.ts";

const OURS = "application/x-collab-rows";

type Dropped = (folder: string) => void;

/** Where it would go now: a folder and what is lit up for it. */
interface Target {
  readonly folder: string;
  readonly lit: HTMLElement;
}

export class Drag {
  private rows: readonly Entry[] = [];
  private lit: HTMLElement | null = null;

  constructor(private readonly board: Board) {
    part("rows").addEventListener("dragstart", (event) => this.start(event));
    part("rows").addEventListener("dragend", () => this.end());
    document.addEventListener("dragover", (event) => this.over(event));
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && this.light(null));
    document.addEventListener("drop", (event) => this.drop(event));
  }

  private start(event: DragEvent): void {
    const entry = this.board.grid.entryAt(event.target);
    if (entry === null || event.dataTransfer === null || !this.board.writable || entry.binned !== null) return event.preventDefault();
    const { grid } = this.board;
    const keys = grid.selection.has(entry.key) ? grid.selection.in(grid.order) : [entry.key];
    this.rows = keys.flatMap((key) => grid.entry(key) ?? []);
    event.dataTransfer.setData(OURS, "");
    event.dataTransfer.effectAllowed = "copyMove";
    const label = element("div", { class: "carried" }, this.rows.length === 1 ? entry.name : t("files.count", { n: this.rows.length }));
    document.body.append(label);
    event.dataTransfer.setDragImage(label, 12, 12);
    setTimeout(() => label.remove());
  }

  private end(): void {
    this.rows = [];
    this.light(null);
  }

  private over(event: DragEvent): void {
    const { dataTransfer } = event;
    if (dataTransfer === null) return;
    const target = this.target(event);
    this.light(target?.lit ?? null);
    // Whatever is no target must not show the dropped file in place of the page.
    if (target === null && !dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    dataTransfer.dropEffect = target === null ? "none" : this.rows.length > 0 ? "move" : "copy";
  }

  private drop(event: DragEvent): void {
    const target = this.target(event);
    const { dataTransfer } = event;
    this.light(null);
    if (dataTransfer === null || (target === null && !dataTransfer.types.includes("Files"))) return;
    event.preventDefault();
    if (target === null) return;
    const rows = this.rows;
    this.rows = [];
    const act = rows.length > 0 ? this.moved(rows) : this.uploaded(dataTransfer);
    act(target.folder);
  }

  private moved(rows: readonly Entry[]): Dropped {
    return (folder) => void import("./acts.ts").then(({ relocate }) => relocate(this.board, rows, folder));
  }

  private uploaded(transfer: DataTransfer): Dropped {
    // Only now its content can be read.
    const load = dropped(transfer);
    return (folder) => void load.then(async (files) => (await import("./uploads.ts")).upload(this.board, folder, files));
  }

  private target(event: DragEvent): Target | null {
    const { dataTransfer, target } = event;
    const files = dataTransfer?.types.includes("Files") === true && this.rows.length === 0;
    if (!(target instanceof Element) || !this.board.writable || (!files && this.rows.length === 0)) return null;
    return this.folderAt(target) ?? (files && this.board.place.view === "files" ? { folder: this.board.place.folder, lit: part("main") } : null);
  }

  /** A folder's row, or a folder in the way that leads here. */
  private folderAt(target: Element): Target | null {
    const entry = this.board.grid.entryAt(target);
    const row = target.closest<HTMLElement>("[role=row]");
    const apt = entry?.isFolder === true && entry.binned === null && !this.rows.some(({ key }) => key === entry.key);
    if (apt && row !== null) return { folder: entry.path, lit: row };
    const link = target.closest<HTMLAnchorElement>("#trail a");
    return link === null ? null : { folder: placeIn(link.search).folder, lit: link };
  }

  private light(next: HTMLElement | null): void {
    if (next === this.lit) return;
    this.lit?.classList.remove("target");
    next?.classList.add("target");
    this.lit = next;
  }
}
