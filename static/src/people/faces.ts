/** How people are shown: by their letters on their colour, and by name. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { inkOn } from "./colors.ts";
import { titled } from "./guests.ts";
import { initials, type Person } from "./people.ts";
import type { Somebody } from "./presence.ts";

/** What the server calls a suite that its settings do not name. */
const UNNAMED = "office";

/** The name as it is shown to the person in front of this page. */
export const nameOf = (who: Somebody): string => (who.mine ? t("people.you", { name: who.name }) : titled(who));

/** In which office suite somebody is, in words; the empty string for none. */
export const suiteWords = ({ suite }: Somebody): string => (suite === "" ? "" : suite === UNNAMED ? t("people.suite.unnamed") : t("people.suite", { suite }));

/** A small round picture of somebody. */
export function picture({ name, color }: Person): HTMLElement {
  const face = element("span", { class: "face", "aria-hidden": "true" }, initials(name));
  paint(face, color);
  return face;
}

/** Let everything in this element that is somebody's have their colour. */
export function paint(part: HTMLElement, color: string): void {
  // A face has its colour from the beginning: an element around it would not change that.
  for (const each of [part, ...part.querySelectorAll<HTMLElement>(".face")]) {
    if (each.style.getPropertyValue("--who") === color) continue;
    each.style.setProperty("--who", color);
    each.style.setProperty("--ink", inkOn(color));
  }
}
