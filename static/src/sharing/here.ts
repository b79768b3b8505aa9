/** Who is in the document now, above those who may come. */

import type { Awareness } from "y-protocols/awareness";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { Crowd } from "../people/crowd.ts";
import { nameOf, picture } from "../people/faces.ts";

export type Here = Awareness;

/** Show them behind `before` for as long as somebody looks; gives the way to stop. */
export function here(awareness: Here, before: HTMLElement): () => void {
  const crowd = Crowd.of(awareness);
  const list = element("ul", { class: "here", "aria-label": t("people.here") });
  const look = (): void =>
    list.replaceChildren(
      ...crowd.people.map((who) => element("li", {}, picture(who), element("bdi", {}, nameOf(who)))),
    );
  look();
  before.after(element("section", { class: "now" }, element("h3", {}, t("people.here")), list));
  return crowd.watch(look);
}
