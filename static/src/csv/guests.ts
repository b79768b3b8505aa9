/** Who else is in the table, and where we are for them: the same positions as carets in the source. */

import * as Y from "yjs";

import type { Desk } from "../editor/desk.ts";
import { personIn } from "../people/people.ts";
import type { Guest } from "./grid.ts";
import type { Place } from "./sheet.ts";

/** Everybody else with a place, by the cell that holds their caret. */
export function guests({ awareness, text }: Desk, at: (offset: number) => Place | null): Guest[] {
  const me = personIn(awareness.getLocalState())?.id;
  const found: Guest[] = [];
  for (const [client, state] of awareness.getStates()) {
    const person = personIn(state);
    if (client === awareness.clientID || person === null || person.id === me) continue;
    const offset = position((state["cursor"] as { head?: unknown } | null | undefined)?.head, text);
    const place = offset === null ? null : at(offset);
    if (place !== null) found.push({ place, name: person.name, color: person.color });
  }
  return found;
}

function position(json: unknown, text: Y.Text): number | null {
  if (typeof json !== "object" || json === null || text.doc === null) return null;
  try {
    const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), text.doc);
    return found?.type === text ? found.index : null;
  } catch {
    // Somebody else's mistake: no place for it.
    return null;
  }
}

/** Say that we are at this offset of the text. */
export function tell({ awareness, text }: Desk, offset: number): void {
  if (awareness.getLocalState() === null) return;
  const place = Y.createRelativePositionFromTypeIndex(text, offset);
  awareness.setLocalStateField("cursor", { anchor: place, head: place });
}
