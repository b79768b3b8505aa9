/** The list of versions by day, newest first: one stop of the Tab key, arrows move in it. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { clock, dayName, exactly, source, writerName } from "./telling.ts";
import { day, type Version, type Writer } from "./sittings.ts";

export class List {
  readonly whole = element("div", { class: "days", role: "group", "aria-label": t("history.versions") });
  private readonly rows = new Map<number, { row: HTMLButtonElement; told: string }>();
  /** Oldest first. */
  private shown: readonly Version[] = [];
  private current = -1;

  /** `done`: one has found what one looked for. */
  constructor(private readonly choose: (number: number, done: boolean) => void) {
    this.whole.addEventListener("keydown", (event) => this.key(event));
  }

  /** `versions` ascend; `current` is the number of the one that is shown. */
  show(versions: readonly Version[], current: number): void {
    this.shown = versions;
    const focused = this.whole.contains(document.activeElement) ? document.activeElement : null;
    const lists: HTMLElement[] = [];
    const minutes = new Map<string, number>();
    for (const { at } of versions) minutes.set(minute(at), (minutes.get(minute(at)) ?? 0) + 1);
    let last = "";
    for (const version of [...versions].reverse()) {
      if (day(version) !== last) {
        last = day(version);
        lists.push(element("section", {}, element("h3", {}, dayName(version)), element("ul")));
      }
      lists.at(-1)?.querySelector("ul")?.append(element("li", {}, this.row(version, minutes.get(minute(version.at)) === 1)));
    }
    const there = new Set(versions.map(({ number }) => number));
    for (const number of this.rows.keys()) if (!there.has(number)) this.rows.delete(number);
    this.whole.replaceChildren(...lists);
    this.mark(current);
    if (focused instanceof HTMLElement) (focused.isConnected ? focused : this.rows.get(current)?.row)?.focus({ preventScroll: true });
  }

  mark(current: number): void {
    for (const number of [this.current, current]) {
      const row = this.rows.get(number)?.row;
      if (row === undefined) continue;
      row.tabIndex = number === current ? 0 : -1;
      if (number === current) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    this.current = current;
    this.rows.get(current)?.row.scrollIntoView({ block: "nearest" });
  }

  /** Put the focus on the version that is shown. */
  focus(): void {
    this.rows.get(this.current)?.row.focus();
  }

  /** `alone`: no other one is of its minute. */
  private row(version: Version, alone: boolean): HTMLButtonElement {
    const told = JSON.stringify([version, dayName(version), alone]);
    const known = this.rows.get(version.number);
    if (known?.told === told) return known.row;
    const row = button("", () => this.choose(version.number, true), "version");
    row.append(...inside(version, alone));
    row.tabIndex = -1;
    row.dataset["number"] = String(version.number);
    this.rows.set(version.number, { row, told });
    return row;
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.shown.findIndex(({ number }) => this.rows.get(number)?.row === document.activeElement);
    const last = this.shown.length - 1;
    const to = { ArrowDown: at - 1, ArrowUp: at + 1, PageDown: at - 10, PageUp: at + 10, Home: last, End: 0 }[event.key];
    if (to === undefined || at === -1) return;
    event.preventDefault();
    const version = this.shown[Math.max(0, Math.min(last, to))];
    if (version === undefined) return;
    this.choose(version.number, false);
    this.focus();
  }
}

const minute = (at: string): string => at.slice(0, 16);

function inside(version: Version, alone: boolean): HTMLElement[] {
  const time = element("time", { datetime: version.at }, alone ? clock(version) : exactly(version));
  const name = version.name === "" ? [] : [element("strong", {}, element("bdi", {}, version.name))];
  const how = version.source === "save" ? [] : [element("span", { class: "how", "data-source": version.source }, source(version))];
  return [element("span", { class: "line" }, time, ...name), ...how, ...(version.writers.length === 0 ? [] : [people(version.writers)])];
}

/** Who wrote, each with their colour. */
export function people(all: readonly Writer[]): HTMLElement {
  const each = all.map((writer) => {
    const dot = element("span", { class: "dot", "aria-hidden": "true" });
    if (/^#[0-9a-f]{6}$/i.test(writer.color)) dot.style.setProperty("--who", writer.color);
    return element("span", { class: "writer" }, dot, element("bdi", {}, writerName(writer)));
  });
  return element("span", { class: "writers" }, ...each);
}
