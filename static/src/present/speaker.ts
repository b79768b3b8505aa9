/** The speaker's window: this slide and the next, notes, and the time. */

import { button, element } from "../base/dom.ts";
import { spoken, t } from "../base/messages.ts";
import { keyOf, type Page } from "./deck.ts";
import { nearest, relocated } from "./place.ts";
import { Sheet, type Renderer } from "./sheet.ts";
import { fill, wide } from "./stage.ts";

export class Speaker {
  at = 0;
  pages: readonly Page[] = [];
  private readonly now: Sheet;
  private readonly next: Sheet;
  private readonly notes = element("div", { class: "spoken md-sheet" });
  private readonly place = element("p", { class: "place", role: "status" });
  private readonly upcoming = element("div", { class: "pane", inert: true });
  private noted: string | null = null;
  private start = Date.now();

  constructor(
    parent: HTMLElement,
    private readonly render: Renderer,
    private readonly changed: (change: { moved: boolean }) => void,
  ) {
    this.now = new Sheet(render);
    this.next = new Sheet(render);
    const current = element("div", { class: "pane" }, this.now.element);
    this.upcoming.append(this.next.element);
    parent.replaceChildren(
      element("section", { class: "on-screen" }, element("h2", {}, t("present.current")), current),
      element("section", { class: "upcoming" }, element("h2", {}, t("present.upcoming")), this.upcoming),
      element("section", { class: "remarks" }, element("h2", {}, t("present.notes")), this.notes),
      element("section", { class: "time" }, this.clock(), this.place),
    );
    fill(current, () => this.now.fit(), wide);
    fill(this.upcoming, () => this.next.fit(), wide);
  }

  update(pages: readonly Page[]): void {
    const first = this.pages.length === 0;
    const at = relocated(this.pages.map(keyOf), pages.map(keyOf), this.at);
    this.at = first ? Math.min(this.at, Math.max(0, pages.length - 1)) : at;
    this.pages = pages;
    this.show();
    this.changed({ moved: false });
  }

  go(index: number): void {
    this.at = Math.max(0, Math.min(index, this.pages.length - 1));
    this.show();
    this.changed({ moved: true });
  }

  step(down: boolean): void {
    this.go(this.at + (down ? 1 : -1));
  }

  find(key: string, at: number): number {
    const found = nearest(this.pages.map(keyOf), key, at);
    return found < 0 ? at : found;
  }

  async redraw(): Promise<void> {
    const [page, next] = [this.pages[this.at], this.pages[this.at + 1]];
    if (page) await this.now.again(page);
    if (next) await this.next.again(next);
  }

  label(): string {
    return t("present.place", { n: this.at + 1, count: this.pages.length });
  }

  private show(): void {
    const [page, next] = [this.pages[this.at], this.pages[this.at + 1]];
    this.place.textContent = this.label();
    if (page) void this.now.show(page);
    this.upcoming.classList.toggle("end", next === undefined);
    this.upcoming.dataset["end"] = t("present.end");
    if (next) void this.next.show(next);
    void this.remark(page?.notes ?? "");
  }

  private async remark(notes: string): Promise<void> {
    if (notes === this.noted) return;
    this.noted = notes;
    const drawn = notes === "" ? element("p", { class: "none" }, t("present.noNotes")) : await this.render(notes);
    if (notes === this.noted) this.notes.replaceChildren(drawn);
  }

  private clock(): HTMLElement {
    const clock = element("span", { class: "clock", role: "timer", "aria-label": t("present.clock") });
    const elapsed = element("span", { class: "elapsed", role: "timer", "aria-label": t("present.elapsed") });
    const tick = (): void => {
      clock.textContent = new Date().toLocaleTimeString(spoken(), { hour: "2-digit", minute: "2-digit" });
      elapsed.textContent = duration(Date.now() - this.start);
    };
    const restart = button(t("present.restart"), () => {
      this.start = Date.now();
      tick();
    });
    tick();
    setInterval(tick, 1000);
    return element("p", { class: "clocks" }, elapsed, restart, clock);
  }
}

/** 3723000 milliseconds -> "1:02:03". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (count: number): string => String(count).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Open the speaker's window for the presentation of this id; null when the browser does not let it. */
export function openSpeaker(id: string): Window | null {
  const url = new URL(location.href);
  url.searchParams.set("speaker", id);
  return open(url, `collab-speaker-${id}`, "popup,width=1100,height=720");
}

/** In the speaker's window: the id of its presentation, else null. */
export const speakerOf = (search: string): string | null => new URLSearchParams(search).get("speaker");
