/** Says above a text that somebody has its file open on a desktop: that is in nobody's way. */

import { t } from "../base/messages.ts";
import { note, unnote, type Act } from "../base/notes.ts";
import { heldWords, type Held } from "../office/held.ts";

/** Said until it is closed there, or as long as one wants; `away`: the note that goes had the keyboard's focus. */
export function tellHeld(held: Held, away: () => void = () => undefined): void {
  const close: Act = { label: t("common.close"), act: () => void (unnote("held") && away()) };
  note("held", { text: heldWords(held, "text"), acts: [close] });
}
