/** Undo of one's own edits of cells, which leaves what others have written into them. */

import * as Y from "yjs";

type Step = Y.UndoManager["undoStack"][number];

export class CellUndo extends Y.UndoManager {
  /** The steps as they were before the one that is being undone. */
  private steps: readonly Step[] = [];
  private stack: readonly Step[] = [];

  constructor(cells: Y.Array<unknown>, origin: unknown) {
    super(cells, { trackedOrigins: new Set([origin]), deleteFilter: (item) => !this.holds(cells, item) });
  }

  override undo(): Step | null {
    return this.looking(this.undoStack, () => super.undo());
  }

  override redo(): Step | null {
    return this.looking(this.redoStack, () => super.redo());
  }

  private looking(stack: readonly Step[], act: () => Step | null): Step | null {
    this.stack = stack;
    this.steps = [...stack];
    const done = act();
    this.steps = [];
    return done;
  }

  /** Whether to take this away would take away others' words: it is a cell that we made, or a part of one, and they have written in it. */
  private holds(cells: Y.Array<unknown>, item: Y.Item): boolean {
    const made = this.steps[this.stack.length]?.insertions;
    if (made === undefined) return false;
    const cell = item.parent === cells ? item : item.parent instanceof Y.Map && item.parent.parent === cells ? item.parent._item : null;
    if (cell === null || !(cell.content instanceof Y.ContentType) || !Y.isDeleted(made, cell.id)) return false;
    const source = cell.content.type instanceof Y.Map ? cell.content.type.get("source") : null;
    return source instanceof Y.Text && hasOthers(source, made);
  }
}

/** Whether living words of a text are not among these. */
function hasOthers(text: Y.Text, ours: Step["insertions"]): boolean {
  for (let item = text._start; item !== null; item = item.right) {
    if (!item.deleted && item.countable && !Y.isDeleted(ours, item.id)) return true;
  }
  return false;
}
