/** What Yjs may forget of what was deleted. */

import * as Y from "yjs";

/**
 * All but the sources of deleted cells: a cell that somebody moved is a deleted one and a copy. What was typed into the deleted one
 * without a connection can still be sent, and the server puts it into the copy.
 */
export function forgettable(item: Y.Item): boolean {
  const { parent, content } = item;
  if (!(parent instanceof Y.AbstractType)) return true;
  if (content instanceof Y.ContentType) return !isCell(parent, content.type) && item.parentSub !== "source";
  return !(parent instanceof Y.Text && parent._item?.parentSub === "source" && inDeletedCell(parent._item));
}

const isCell = (parent: unknown, type: unknown): boolean => parent instanceof Y.Array && parent._item === null && type instanceof Y.Map;

const inDeletedCell = ({ parent }: Y.Item): boolean => parent instanceof Y.Map && parent._item?.deleted === true;
