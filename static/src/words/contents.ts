/** What a document consists of for people, whatever kind it is of. */

import * as Y from "yjs";

/** Whether the shared document is a notebook, as the server says in it. */
export const isCells = (document: Y.Doc): boolean => document.getMap("collab").get("format") === "notebook";

/** The texts that people type in, in their order: of a plain document one, of a notebook each cell's. */
export function textsOf(document: Y.Doc): Y.Text[] {
  if (!isCells(document)) return [document.getText("content")];
  const sources = document.getArray("cells").map((cell) => (cell instanceof Y.Map ? cell.get("source") : null));
  return sources.filter((source): source is Y.Text => source instanceof Y.Text);
}

/** The document as a file; of a notebook with all that nbformat has, in a form of ours. */
export function wholeOf(document: Y.Doc): string {
  if (!isCells(document)) return document.getText("content").toString();
  const { nbformat = 4, nbformat_minor = 5, metadata = {} } = document.getMap("meta").toJSON();
  const minor = Number(nbformat_minor);
  const cells = (document.getArray("cells").toJSON() as unknown[]).filter((cell): cell is object => typeof cell === "object" && cell !== null);
  return `${JSON.stringify({ cells: cells.map((cell) => written(cell, minor)), metadata, nbformat, nbformat_minor }, null, 1)}\n`;
}

/** Ids are of nbformat 4.5; what a kernel does is of no file. */
function written(cell: object, minor: number): object {
  const { execution_state: _state, id, ...rest } = cell as { execution_state?: unknown; id?: unknown };
  return minor >= 5 ? { id, ...rest } : rest;
}
