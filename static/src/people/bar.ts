/** The people in the document, at the top of the page. */

import type { Awareness } from "y-protocols/awareness";

import { element } from "../base/dom.ts";
import { initials, inkOn, personIn, present, type Person } from "./people.ts";

/** Keep the list of people in `parent` as it is now. */
export function peopleBar(parent: HTMLElement, awareness: Awareness): void {
  const show = (): void => {
    const people = present(awareness.getStates(), awareness.clientID);
    const me = personIn(awareness.getLocalState())?.id;
    parent.replaceChildren(...people.map((person) => picture(person, person.id === me)));
  };
  awareness.on("change", show);
  show();
}

function picture(person: Person, mine: boolean): HTMLLIElement {
  const label = mine ? `${person.name} (you)` : person.name;
  const face = element("span", { class: "face", "aria-hidden": "true" }, initials(person.name));
  face.style.setProperty("--who", person.color);
  face.style.setProperty("--ink", inkOn(person.color));
  return element("li", { title: label, "data-name": person.name }, face, element("bdi", { class: "name" }, label));
}
