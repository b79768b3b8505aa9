/** Who else is in the table, and where we are for them: the same positions as carets in the source. */

import * as Y from "yjs";

import type { Desk } from "../editor/desk.ts";
import { caretsIn } from "../people/cursors.ts";
import type { Guest } from "./grid.ts";
import type { Place } from "./sheet.ts";

/** Everybody else once, by the cell that holds their caret. */
export function guests({ view }: Desk, at: (offset: number) => Place | null): Guest[] {
  return (caretsIn(view)?.carets() ?? []).flatMap(({ who: { name, color }, caret }) => {
    const place = at(caret.head);
    return place === null ? [] : [{ place, name, color }];
  });
}

/** Called when others have moved. */
export function watchGuests({ view }: Desk, listener: () => void): void {
  caretsIn(view)?.watch(listener);
}

/** Say that we are at this offset of the text. */
export function tell({ awareness, text }: Desk, offset: number): void {
  if (awareness.getLocalState() === null) return;
  const place = Y.createRelativePositionFromTypeIndex(text, offset);
  awareness.setLocalStateField("cursor", { anchor: place, head: place });
}
