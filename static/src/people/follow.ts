/** Keep somebody's caret in view until one goes one's own way. Nobody else notices, and one's own caret stays where it is. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { RETURN } from "./arrivals.ts";
import type { Crowd } from "./crowd.ts";
import { paint, picture } from "./faces.ts";
import type { Places } from "./places.ts";
import type { Somebody } from "./presence.ts";

/** Milliseconds for which is shown that the other one has left. */
const FAREWELL = 6000;
const SCROLLING = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"]);

type Listener = () => void;

export class Follow {
  private readonly banner = element("div", { id: "following", class: "following", role: "status" });
  private followed: Somebody | null = null;
  private goneAt: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private frame: number | undefined;
  private stops: Listener[] = [];
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly places: Places,
    private readonly crowd: Crowd,
  ) {
    document.querySelector(".desk")?.append(this.banner);
    crowd.watch(() => this.look());
  }

  /** The id of whom we follow; null for nobody. */
  get whom(): string | null {
    return this.followed?.id ?? null;
  }

  /** Called when we follow somebody else, or nobody any more. */
  watch(listener: Listener): void {
    this.listeners.add(listener);
  }

  start(who: Somebody): void {
    this.unhook();
    this.followed = who;
    this.goneAt = null;
    this.hook();
    this.show(t("people.following", { name: who.name }));
    this.bring(true);
    this.changed();
  }

  stop(): void {
    const focused = this.banner.contains(document.activeElement);
    this.end();
    this.banner.replaceChildren();
    if (focused) this.places.focus();
  }

  private end(): void {
    this.unhook();
    this.followed = null;
    this.goneAt = null;
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  private hook(): void {
    const hooks: [string, (event: Event) => void][] = [
      ["wheel", () => this.stop()],
      ["touchmove", () => this.stop()],
      ["pointerdown", (event) => this.pressed(event)],
      ["keydown", (event) => this.key(event as KeyboardEvent)],
    ];
    for (const [name, act] of hooks) document.addEventListener(name, act, { capture: true, passive: true });
    this.stops = [
      this.places.watchOwn(() => this.stop()),
      this.places.watch(() => this.bring(false)),
      ...hooks.map(([name, act]) => () => document.removeEventListener(name, act, { capture: true })),
    ];
  }

  private unhook(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
    clearTimeout(this.timer);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }

  /** The bar that one drags to scroll is beside all that a scrolled element shows. */
  private pressed(event: Event): void {
    const { target, clientX } = event as PointerEvent;
    const bar = target instanceof HTMLElement && target.closest(".desk") !== null && clientX > target.getBoundingClientRect().left + target.clientLeft + target.clientWidth;
    if (bar) this.stop();
  }

  private key(event: KeyboardEvent): void {
    const inDesk = event.target instanceof Element && (event.target.closest(".desk") !== null || event.target === document.body);
    if (event.key === "Escape" || (inDesk && SCROLLING.has(event.key))) this.stop();
  }

  private look(): void {
    if (this.followed === null) return;
    const here = this.crowd.person(this.followed.id);
    // In an office suite they have no caret here.
    if (here === undefined || here.doing === "suite") return this.miss(this.followed);
    const returned = this.goneAt !== null;
    this.followed = here;
    this.goneAt = null;
    clearTimeout(this.timer);
    if (returned) this.show(t("people.following", { name: here.name }));
  }

  private miss({ name }: Somebody): void {
    if (this.goneAt !== null) return;
    this.goneAt = Date.now();
    this.show(t("people.waiting", { name }));
    this.timer = setTimeout(() => {
      this.end();
      this.farewell(t("people.gone", { name }));
    }, RETURN);
  }

  /** At most once a frame, and not in the middle of an update of the editor. */
  private bring(centre: boolean): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (this.followed !== null) this.places.reveal(this.crowd.person(this.followed.id)?.client ?? -1, centre);
    });
  }

  private show(words: string): void {
    if (this.followed === null) return;
    paint(this.banner, this.followed.color);
    const stop = button(t("people.stop"), () => this.stop(), "quiet");
    stop.setAttribute("aria-label", t("people.stopFollowing"));
    this.banner.replaceChildren(picture(this.followed), element("p", {}, words), stop);
  }

  private farewell(words: string): void {
    this.banner.replaceChildren(element("p", {}, words));
    this.timer = setTimeout(() => this.banner.replaceChildren(), FAREWELL);
  }
}
