/** The timeline: all versions from the oldest to the newest, to slide through. */

import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { clock, dayName, said } from "./telling.ts";
import { day, type Version } from "./sittings.ts";

/** What is marked, and how much of it. */
const TOLD: ReadonlySet<string> = new Set(["named", "outside", "restore", "replaced"]);
const MOST = 200;

export class Timeline {
  readonly slider = element("input", { type: "range", min: "0", step: "1", "aria-label": t("history.timeline") });
  private readonly marks = element("div", { class: "pins", "aria-hidden": "true" });
  private readonly ends = [element("span"), element("span")] as const;
  private readonly older = this.step("previous", "history.older", -1);
  private readonly newer = this.step("next", "history.newer", 1);
  readonly whole = element(
    "div",
    { class: "timeline" },
    this.older,
    element("div", { class: "track" }, this.marks, this.slider, element("div", { class: "ends", "aria-hidden": "true" }, ...this.ends)),
    this.newer,
  );
  private shown: readonly Version[] = [];
  private marked = "";

  constructor(private readonly choose: (number: number) => void) {
    this.slider.addEventListener("input", () => this.at(Number(this.slider.value)));
  }

  /** `versions` ascend. */
  show(versions: readonly Version[], current: number): void {
    this.shown = versions;
    this.slider.max = String(Math.max(0, versions.length - 1));
    const [first, last] = [versions[0], versions.at(-1)];
    const tell = first !== undefined && last !== undefined && day(first) === day(last) ? clock : dayName;
    this.ends[0].textContent = first === undefined ? "" : tell(first);
    this.ends[1].textContent = last === undefined || versions.length < 2 ? "" : tell(last);
    this.draw();
    this.mark(current);
  }

  mark(current: number): void {
    const at = this.shown.findIndex(({ number }) => number === current);
    const version = this.shown[at];
    if (version === undefined) return;
    this.slider.value = String(at);
    this.slider.setAttribute("aria-valuetext", t("history.place", { said: said(version), at: at + 1, n: this.shown.length }));
    able(this.older, at > 0);
    able(this.newer, at < this.shown.length - 1);
  }

  private step(picture: "previous" | "next", label: "history.older" | "history.newer", by: number): HTMLButtonElement {
    const made = button("", () => this.at(Number(this.slider.value) + by), "pic");
    made.append(icon(picture === "previous" ? "back" : "forward"));
    made.setAttribute("aria-label", t(label));
    made.title = t(label);
    return made;
  }

  private at(index: number): void {
    const version = this.shown[index];
    if (version !== undefined) this.choose(version.number);
  }

  /** Where there are names, and what no save of ours was. */
  private draw(): void {
    const last = this.shown.length - 1;
    const found = this.shown.map(({ name, source }, at) => ({ at, kind: name === "" ? source : "named" })).filter(({ kind }) => TOLD.has(kind));
    const told = JSON.stringify([last, found]);
    if (told === this.marked) return;
    this.marked = told;
    this.marks.replaceChildren(
      ...found.slice(-MOST).map(({ at, kind }) => {
        const mark = element("span", { class: kind });
        mark.style.setProperty("--at", String(last === 0 ? 0 : at / last));
        return mark;
      }),
    );
  }
}

function able(made: HTMLButtonElement, can: boolean): void {
  made.setAttribute("aria-disabled", String(!can));
}
