/** What the parts of the editor page work on together. */

import type { EditorView, ViewUpdate } from "@codemirror/view";
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

export interface Desk {
  readonly view: EditorView;
  readonly text: Y.Text;
  /** Undoes only what was typed on this page. */
  readonly undo: Y.UndoManager;
  readonly awareness: Awareness;
  /** The document's path under the root as of now: it changes when somebody renames it. */
  readonly path: string;
  /** As of now: rights may change while one looks. */
  readonly readOnly: boolean;
  /** Called after each update of the editor's view; gives the way to stop. */
  watch(listener: (update: ViewUpdate) => void): () => void;
  /** Called when path or rights have changed; gives the way to stop. */
  watchDocument(listener: () => void): () => void;
}
