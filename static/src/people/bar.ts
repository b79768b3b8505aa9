/** The people in the document, at the top of the page: their pictures, and all about them when one asks. */

import type { Awareness } from "y-protocols/awareness";

import { element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { Crowd } from "./crowd.ts";
import { nameOf, paint, picture, suiteWords } from "./faces.ts";
import { initials } from "./people.ts";
import type { Places } from "./places.ts";
import type { Somebody } from "./presence.ts";
import type { Together } from "./together.ts";

/** So many pictures, where there is room and where there is not. */
const MANY = 8;
const FEW = 4;
const NARROW = matchMedia("(max-width: 48rem)");

/** Keep the list of people in `parent` as it is now; `connected` tells whether the server is heard. */
export function peopleBar(parent: HTMLElement, awareness: Awareness, connected: () => boolean = () => true): PeopleBar {
  return new PeopleBar(parent, Crowd.of(awareness), connected);
}

export class PeopleBar {
  private readonly faces = new Map<string, HTMLLIElement>();
  private readonly count = element("span", { class: "count", "aria-hidden": "true" });
  private readonly everybody = element("button", { type: "button", class: "pic", "aria-haspopup": "dialog", "aria-expanded": "false" }, this.count);
  private together: Promise<Together> | null = null;

  private places: ((crowd: Crowd) => Promise<Places>) | null = null;

  constructor(
    private readonly parent: HTMLElement,
    private readonly crowd: Crowd,
    private readonly connected: () => boolean,
  ) {
    this.everybody.append(icon("down"));
    this.everybody.addEventListener("click", () => void this.ask());
    parent.addEventListener("click", () => void this.ask());
    parent.after(this.everybody);
    crowd.watch(() => this.show());
    NARROW.addEventListener("change", () => this.show());
    this.show();
  }

  /** The document is there: who comes and goes is said from now on, and one may go to people by their places in it. */
  open(places: (crowd: Crowd) => Promise<Places>): void {
    this.places = places;
    void this.load();
  }

  private async ask(): Promise<void> {
    (await this.load())?.ask(this.everybody);
  }

  /** Nothing of it is needed for the first key press; when it fails to load it is tried again the next time somebody asks. */
  private async load(): Promise<Together | null> {
    const { places, crowd, parent } = this;
    if (places === null) return null;
    this.together ??= Promise.all([import("./together.ts"), places(crowd)]).then(([{ Together }, known]) => new Together(known, crowd, this.connected, parent.parentElement ?? parent));
    return this.together.catch(() => (this.together = null));
  }

  private show(): void {
    const people = [...this.crowd.people].sort((one, other) => rank(one) - rank(other));
    const room = NARROW.matches ? FEW : MANY;
    const shown = people.slice(0, room);
    const left = people.length - shown.length;
    const faces = shown.map((person) => this.face(person));
    for (const [id, face] of this.faces) if (!faces.includes(face)) this.faces.delete(id);
    if (faces.some((face, index) => this.parent.children[index] !== face) || this.parent.childElementCount !== faces.length) this.parent.replaceChildren(...faces);
    this.count.textContent = left === 0 ? "" : `+${left.toLocaleString()}`;
    this.everybody.classList.toggle("counts", left > 0);
    this.everybody.setAttribute("aria-label", t("people.show", { n: people.length }));
    this.everybody.hidden = people.length === 0;
  }

  private face(person: Somebody): HTMLLIElement {
    const made = this.faces.get(person.id) ?? element("li", {}, picture(person), element("bdi", { class: "away" }));
    this.faces.set(person.id, made);
    const label = [nameOf(person), suiteWords(person)].filter((each) => each !== "").join(", ");
    if (made.dataset["name"] !== person.name || made.title !== label) {
      made.dataset["name"] = person.name;
      made.title = label;
      made.querySelector("bdi")?.replaceChildren(label);
      made.querySelector(".face")?.replaceChildren(initials(person.name));
    }
    // What I do I know.
    made.dataset["doing"] = person.mine ? "there" : person.doing;
    made.toggleAttribute("data-suite", person.suite !== "");
    paint(made, person.color);
    return made;
  }
}

/** Myself first, then those who are active. */
const rank = ({ mine, doing }: Somebody): number => (mine ? 0 : doing === "idle" ? 2 : 1);
