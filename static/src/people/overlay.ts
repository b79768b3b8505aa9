/** Draws carets, selections and names; only those that are in sight, and a few milliseconds at a time. */

import { EditorSelection } from "@codemirror/state";
import { RectangleMarker, type EditorView } from "@codemirror/view";

import { element } from "../base/dom.ts";
import { inkOn } from "./colors.ts";
import { arranged, isRtl, widthOf, type Frame } from "./flags.ts";
import { titled } from "./guests.ts";
import type { Caret } from "./positions.ts";
import type { Somebody } from "./presence.ts";

/** Milliseconds for which a name is shown after its caret moved; where that is drawn late, so much later at most. */
const SHOWN = 5000;
/** Milliseconds of a frame that may go into measuring; what is left waits for the next frame. */
const BUDGET = 2;
/** Pixels from a caret at which the pointer asks for its name. */
const REACH = 6;

interface Place {
  x: number;
  top: number;
  bottom: number;
  rtl: boolean;
  marks: readonly RectangleMarker[];
}

/** One person's caret as it is drawn. */
interface Drawn {
  who: Somebody;
  caret: Caret;
  line: HTMLElement;
  name: HTMLElement;
  marks: HTMLElement;
  /** Where it was when it was last measured; null when that is out of sight. */
  place: Place | null;
  /** When it moved, until that is drawn. */
  moved: number | null;
  shownUntil: number;
  near: boolean;
}

export class Overlay {
  private readonly above = element("div", { class: "cm-others", "aria-hidden": "true" });
  private readonly below = element("div", { class: "cm-others cm-othersBelow", "aria-hidden": "true" });
  private readonly drawn = new Map<string, Drawn>();
  private readonly stale = new Set<Drawn>();
  /** Measured, and not drawn there yet. */
  private fresh: Drawn[] = [];
  private fading: ReturnType<typeof setTimeout> | undefined;
  private frame: number | undefined;

  constructor(private readonly view: EditorView) {
    view.scrollDOM.append(this.below, this.above);
    view.scrollDOM.addEventListener("scroll", this.scrolled, { passive: true });
    view.scrollDOM.addEventListener("mousemove", this.pointed, { passive: true });
  }

  destroy(): void {
    this.view.scrollDOM.removeEventListener("scroll", this.scrolled);
    this.view.scrollDOM.removeEventListener("mousemove", this.pointed);
    clearTimeout(this.fading);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.above.remove();
    this.below.remove();
  }

  /** Draw these from now on, and no others. */
  show(carets: readonly { who: Somebody; caret: Caret }[]): void {
    const ids = new Set(carets.map(({ who }) => who.id));
    for (const [id, drawn] of this.drawn) if (!ids.has(id)) this.drop(id, drawn);
    for (const { who, caret } of carets) this.take(who, caret);
    this.measure();
  }

  /** The text lies otherwise now. */
  measureAll(): void {
    for (const drawn of this.drawn.values()) this.stale.add(drawn);
    this.measure();
  }

  /** Show a client's name as if its caret had moved. */
  point(client: number): void {
    for (const drawn of this.drawn.values()) if (drawn.who.client === client) reveal(drawn);
    this.measure();
  }

  private take(who: Somebody, caret: Caret): void {
    const drawn = this.drawn.get(who.id) ?? this.made(who, caret);
    const { who: formerWho, caret: former } = drawn;
    if (former.moves !== caret.moves || formerWho.client !== who.client || (drawn.shownUntil === 0 && drawn.moved === null)) reveal(drawn);
    if (former.head !== caret.head || former.anchor !== caret.anchor) this.stale.add(drawn);
    if (formerWho.name !== who.name || formerWho.color !== who.color || formerWho.doing !== who.doing) dress(drawn, who);
    drawn.who = who;
    drawn.caret = caret;
  }

  private made(who: Somebody, caret: Caret): Drawn {
    const name = element("span", { class: "cm-otherName" });
    const line = element("span", { class: "cm-ySelectionCaret", hidden: true }, name);
    const marks = element("span");
    const drawn: Drawn = { who, caret, line, name, marks, place: null, moved: null, shownUntil: 0, near: false };
    dress(drawn, who);
    this.above.append(line);
    this.below.append(marks);
    this.drawn.set(who.id, drawn);
    this.stale.add(drawn);
    return drawn;
  }

  private drop(id: string, drawn: Drawn): void {
    drawn.line.remove();
    drawn.marks.remove();
    this.drawn.delete(id);
    this.stale.delete(drawn);
  }

  /** Its move is drawn now: from here on there is time to read the name. */
  private shows(drawn: Drawn, now: number): void {
    drawn.shownUntil = Math.min(now, (drawn.moved ?? now) + SHOWN) + SHOWN;
    drawn.moved = null;
    this.fading ??= setTimeout(() => this.fade(), SHOWN);
  }

  private fade(): void {
    const now = performance.now();
    const left = [...this.drawn.values()].map(({ shownUntil }) => shownUntil - now).filter((time) => time > 0);
    this.fading = left.length === 0 ? undefined : setTimeout(() => this.fade(), Math.max(250, Math.min(...left)));
    this.measure();
  }

  private readonly scrolled = (): void => this.measure();

  private readonly pointed = ({ clientX, clientY }: MouseEvent): void => {
    const origin = this.origin();
    const [x, y] = [clientX - origin.left, clientY - origin.top];
    for (const drawn of this.drawn.values()) {
      const { place } = drawn;
      const near = place !== null && Math.abs(place.x - x) <= REACH && y >= place.top - REACH && y <= place.bottom;
      if (near !== drawn.near) this.measure();
      drawn.near = near;
    }
  };

  private measure(): void {
    if (this.drawn.size === 0) return;
    this.view.requestMeasure({ key: this, read: () => this.read(), write: (frame) => this.write(frame) });
  }

  private read(): Frame {
    const origin = this.origin();
    const end = performance.now() + BUDGET;
    // One at least: where the time is over at once, time and again, none would ever be drawn.
    for (const drawn of this.stale) {
      this.stale.delete(drawn);
      drawn.place = this.placeOf(drawn.caret, origin);
      this.fresh.push(drawn);
      if (performance.now() >= end) break;
    }
    if (this.stale.size > 0) this.later();
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = this.view.scrollDOM;
    return { left: scrollLeft, top: scrollTop, right: scrollLeft + clientWidth, bottom: scrollTop + clientHeight };
  }

  private later(): void {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.measure();
    });
  }

  /** The upper left corner of the scrolled content, in the window. */
  private origin(): { left: number; top: number } {
    const { left, top } = this.view.scrollDOM.getBoundingClientRect();
    return { left: left - this.view.scrollDOM.scrollLeft, top: top - this.view.scrollDOM.scrollTop };
  }

  private placeOf({ anchor, head }: Caret, origin: { left: number; top: number }): Place | null {
    const { viewport, state } = this.view;
    const [from, to] = [Math.min(anchor, head), Math.max(anchor, head)];
    if (to > state.doc.length) return null;
    const marks = from === to ? [] : RectangleMarker.forRange(this.view, "cm-ySelection", EditorSelection.range(anchor, head));
    const seen = head >= viewport.from && head <= viewport.to;
    const at = seen ? this.view.coordsAtPos(head, head > anchor ? -1 : 1) : null;
    if (at === null) return marks.length === 0 ? null : { x: 0, top: -1000, bottom: -1000, rtl: false, marks };
    const line = state.doc.lineAt(head);
    const rtl = isRtl(line.text.slice(0, 200));
    return { x: at.left - origin.left, top: at.top - origin.top, bottom: at.bottom - origin.top, rtl, marks };
  }

  private write(frame: Frame): void {
    const now = performance.now();
    const named: (Drawn & { place: Place })[] = [];
    this.fresh.forEach(draw);
    this.fresh = [];
    for (const drawn of this.drawn.values()) {
      if (drawn.moved !== null && !this.stale.has(drawn)) this.shows(drawn, now);
      const shown = drawn.place !== null && inside(drawn.place, frame) && (drawn.near || drawn.shownUntil > now);
      drawn.name.classList.toggle("shown", shown);
      if (shown && drawn.place !== null) named.push(drawn as Drawn & { place: Place });
    }
    named.sort((one, other) => one.place.top - other.place.top || one.place.x - other.place.x);
    const spots = arranged(named.map(({ place, who }) => ({ ...place, width: widthOf(titled(who)) })), frame);
    named.forEach(({ name }, index) => {
      const { dx, dy } = spots[index] ?? { dx: 0, dy: 0 };
      name.style.setProperty("transform", `translate(${dx}px, ${dy}px)`);
    });
  }
}

function reveal(drawn: Drawn): void {
  drawn.moved = performance.now();
}

function inside({ x, top, bottom }: Place, frame: Frame): boolean {
  return bottom > frame.top && top < frame.bottom && x >= frame.left - 1 && x <= frame.right + 1;
}

function dress({ line, name, marks }: Drawn, who: Somebody): void {
  line.classList.toggle("idle", who.doing === "idle");
  if (line.dataset["name"] !== who.name) name.replaceChildren(element("bdi", {}, titled(who)));
  line.dataset["name"] = who.name;
  for (const part of [line, marks]) part.style.setProperty("--who", who.color);
  line.style.setProperty("--ink", inkOn(who.color));
}

function draw({ place, line, marks }: Drawn): void {
  line.hidden = place === null || place.bottom < 0;
  if (place === null) return marks.replaceChildren();
  line.style.setProperty("transform", `translate(${place.x - 1}px, ${place.top}px)`);
  line.style.setProperty("height", `${place.bottom - place.top}px`);
  marks.replaceChildren(...place.marks.map((mark) => mark.draw()));
}
