/** A CSV document as a table whose cells can be edited. */

import type { Desk } from "../editor/desk.ts";

export class CsvTable {
  constructor(
    readonly parent: HTMLElement,
    readonly desk: Desk,
  ) {}

  show(): void {
    this.parent.dataset["kind"] = "table";
  }

  hide(): void {
    delete this.parent.dataset["kind"];
  }
}
