/** Bring a place of the text into view, in whatever of the document is on the screen. */

import { EditorView } from "@codemirror/view";

import { part } from "../base/dom.ts";
import type { Desk } from "../editor/desk.ts";
import type { Modes } from "../editor/modes.ts";

/** Of the height, above and below which a place is too near to the edge to be followed there. */
const EDGE = 0.15;

/** Bring this offset into view; when it is comfortably there already, nothing moves unless `centre` is wanted. */
export function reveal(desk: Desk, modes: Modes, offset: number, centre: boolean): void {
  const { view } = desk;
  const bounded = Math.min(offset, view.state.doc.length);
  const effects = EditorView.scrollIntoView(bounded, { y: "center", x: "nearest", xMargin: 48 });
  if (modes.mode !== "preview") return centre || !comfortable(view, bounded) ? view.dispatch({ effects }) : undefined;
  const block = modes.elementAt(bounded);
  if (centre || block === null || !within(block.getBoundingClientRect(), part("preview").getBoundingClientRect())) modes.reveal(bounded);
}

function comfortable(view: EditorView, offset: number): boolean {
  const seen = offset >= view.viewport.from && offset <= view.viewport.to;
  const at = seen ? view.coordsAtPos(offset) : null;
  const frame = view.scrollDOM.getBoundingClientRect();
  return at !== null && within(at, frame) && at.left >= frame.left && at.left <= frame.right;
}

function within({ top, bottom }: { top: number; bottom: number }, frame: DOMRect): boolean {
  const edge = EDGE * frame.height;
  return top >= frame.top + edge && bottom <= frame.bottom - edge;
}
