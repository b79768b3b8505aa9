/** Everybody who is here, what they do, and the ways to them. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import type { Crowd } from "./crowd.ts";
import { nameOf, paint, picture, suiteWords } from "./faces.ts";
import type { Follow } from "./follow.ts";
import { initials } from "./people.ts";
import type { Places } from "./places.ts";
import type { Somebody } from "./presence.ts";

/** Milliseconds between two looks while the list is shown: nobody reads faster. */
const PAUSE = 500;

export class PeopleList {
  private readonly rows = new Map<string, Row>();
  private readonly list = element("ul", {});
  private readonly panel = element(
    "div",
    { id: "everybody", class: "everybody", popover: "auto", role: "dialog", "aria-labelledby": "everybody-title", tabindex: "-1" },
    element("h2", { id: "everybody-title" }, t("people.here")),
    this.list,
    element("footer", {}, button(t("authors.menu"), () => this.authors())),
  );
  private waiting: ReturnType<typeof setTimeout> | undefined;
  /** A press closes the list before it is known to be one on the button. */
  private held = false;
  private from: HTMLElement | null = null;

  constructor(
    private readonly places: Places,
    private readonly crowd: Crowd,
    private readonly follow: Follow,
    bar: HTMLElement,
  ) {
    document.body.append(this.panel);
    this.panel.addEventListener("beforetoggle", ({ newState }) => this.from?.setAttribute("aria-expanded", String(newState === "open")));
    bar.addEventListener("pointerdown", () => (this.held = this.open));
    crowd.watch(() => this.lookSoon());
    follow.watch(() => this.lookSoon(0));
  }

  toggle(from: HTMLElement): void {
    if (this.open || this.held) {
      this.held = false;
      return this.panel.hidePopover();
    }
    this.from = from;
    this.panel.style.setProperty("top", `${from.getBoundingClientRect().bottom + 4}px`);
    this.look();
    this.panel.showPopover();
    this.panel.focus();
  }

  private get open(): boolean {
    return this.panel.matches(":popover-open");
  }

  private lookSoon(pause = PAUSE): void {
    if (!this.open) return;
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      this.look();
    }, pause);
  }

  private look(): void {
    const rows = this.crowd.people.map((who) => this.row(who));
    for (const [id, row] of this.rows) if (!rows.includes(row)) this.rows.delete(id);
    const elements = rows.map((row) => row.element);
    // An element that is put in again loses the keyboard's focus.
    if (elements.length !== this.list.childElementCount || elements.some((each, index) => this.list.children[index] !== each)) arrange(this.list, elements);
  }

  private row(who: Somebody): Row {
    const row = this.rows.get(who.id) ?? new Row(who, { jump: (to) => this.jump(to), follow: (to) => this.followOrNot(to) });
    this.rows.set(who.id, row);
    row.show(who, this.does(who), who.mine || this.places.has(who.client), this.follow.whom === who.id);
    return row;
  }

  /** What somebody does, and in which suite they have it open. */
  private does(who: Somebody): string {
    const here = who.doing === "suite" ? "" : this.places.words(who);
    return [here, suiteWords(who)].filter((each) => each !== "").join(" · ");
  }

  private authors(): void {
    this.panel.hidePopover();
    dispatchEvent(new CustomEvent("collab-authors"));
  }

  private jump(id: string): void {
    const client = this.crowd.person(id)?.client ?? -1;
    this.panel.hidePopover();
    this.places.reveal(client, true);
    this.places.point(client);
  }

  private followOrNot(id: string): void {
    const who = this.crowd.person(id);
    if (this.follow.whom === id || who === undefined) return this.follow.stop();
    this.panel.hidePopover();
    this.follow.start(who);
  }
}

interface Ways {
  jump(id: string): void;
  follow(id: string): void;
}

class Row {
  readonly element: HTMLLIElement;
  private readonly face: HTMLElement;
  private readonly name = element("bdi", { class: "name" });
  private readonly does = element("bdi", { class: "does" });
  private readonly jump: HTMLButtonElement;
  private readonly follow: HTMLButtonElement;

  constructor({ id, ...person }: Somebody, ways: Ways) {
    this.face = picture({ id, ...person });
    this.jump = button(t("people.jump"), () => ways.jump(id));
    this.follow = button(t("people.follow"), () => ways.follow(id));
    this.element = element("li", {}, this.face, element("p", {}, this.name, this.does), this.jump, this.follow);
  }

  show(who: Somebody, does: string, caret: boolean, followed: boolean): void {
    this.element.dataset["doing"] = who.doing;
    this.element.dataset["person"] = who.name;
    paint(this.face, who.color);
    say(this.face, initials(who.name));
    say(this.name, nameOf(who));
    say(this.does, does);
    this.element.toggleAttribute("data-suite", who.suite !== "");
    // Who is in a suite only has no place here.
    this.jump.hidden = who.mine || who.doing === "suite";
    this.follow.hidden = this.jump.hidden;
    this.jump.disabled = !caret;
    this.jump.setAttribute("aria-label", t("people.jump.to", { name: who.name }));
    this.follow.setAttribute("aria-label", t("people.follow.whom", { name: who.name }));
    this.follow.setAttribute("aria-pressed", String(followed));
  }
}

function say(part: HTMLElement, words: string): void {
  if (part.textContent !== words) part.textContent = words;
}

/** Make these the list's children, and keep the focus where it is. */
function arrange(list: HTMLElement, elements: readonly HTMLElement[]): void {
  const focused = document.activeElement;
  list.replaceChildren(...elements);
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
}
