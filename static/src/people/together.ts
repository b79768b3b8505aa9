/** What one does with others in a document: see what they do, go to them, follow them, and hear who comes and goes. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { Arrivals, type News } from "./arrivals.ts";
import type { Crowd } from "./crowd.ts";
import { Follow } from "./follow.ts";
import { PeopleList } from "./list.ts";
import type { Places } from "./places.ts";

export class Together {
  private readonly arrivals = new Arrivals();
  private readonly list: PeopleList;
  private readonly said = element("div", { id: "people-said", class: "away", role: "status", "aria-live": "off" });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    places: Places,
    private readonly crowd: Crowd,
    private readonly connected: () => boolean,
    bar: HTMLElement,
  ) {
    document.body.append(this.said);
    this.list = new PeopleList(places, crowd, new Follow(places, crowd), bar);
    crowd.watch(() => this.look());
    this.look();
  }

  /** Show everybody, or hide the list when it is shown; `from` is the button that was pressed. */
  ask(from: HTMLElement): void {
    this.list.toggle(from);
  }

  private look(): void {
    const others = new Map(this.crowd.people.filter(({ mine }) => !mine).map(({ id, name }) => [id, name]));
    const news = this.arrivals.look(others, this.connected(), Date.now());
    if (news !== null) this.say(news);
    clearTimeout(this.timer);
    const { next, settled } = this.arrivals;
    const live = settled ? "polite" : "off";
    if (this.said.ariaLive !== live) this.said.ariaLive = live;
    // Whether the server is heard is asked, not told: now and then it is looked at anyway.
    this.timer = setTimeout(() => this.look(), Math.min(settled ? 5000 : 300, Math.max(50, next - Date.now())));
  }

  private say(news: News): void {
    const words = sentences(news);
    if (words !== "") this.said.replaceChildren(element("p", {}, words));
  }
}

/** What is read aloud of who came and left. */
export function sentences({ came, left }: News): string {
  const coming = sentence(came, {
    one: (name) => t("people.came", { name }),
    two: (name, other) => t("people.came.two", { name, other }),
    more: (name, n) => t("people.came.more", { name, n }),
  });
  const going = sentence(left, {
    one: (name) => t("people.left", { name }),
    two: (name, other) => t("people.left.two", { name, other }),
    more: (name, n) => t("people.left.more", { name, n }),
  });
  return [coming, going].filter((each) => each !== "").join(" ");
}

interface Forms {
  one(name: string): string;
  two(name: string, other: string): string;
  more(name: string, n: number): string;
}

function sentence([first, second, ...others]: readonly string[], say: Forms): string {
  if (first === undefined) return "";
  if (second === undefined) return say.one(first);
  return others.length === 0 ? say.two(first, second) : say.more(first, others.length + 1);
}
