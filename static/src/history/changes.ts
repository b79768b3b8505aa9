/** What changed in the version that is shown: how many words came and went, at which change one is, the way to the next one. */

import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { tally, type Piece } from "./pieces.ts";
import type { Sheet } from "./sheet.ts";

/** A button with a picture. */
export function tool(label: Key, picture: Icon, act: () => void, key?: string): HTMLButtonElement {
  const made = button("", act, "pic");
  made.append(icon(picture));
  made.setAttribute("aria-label", t(label));
  made.title = key === undefined ? t(label) : `${t(label)} (${key})`;
  if (key !== undefined) made.setAttribute("aria-keyshortcuts", key);
  return made;
}

export class Changes {
  readonly counts = element("span", { class: "counts", role: "status" });
  readonly steps: HTMLElement;
  private readonly spot = element("span", { class: "spot" });
  private readonly ways = [tool("history.previousChange", "up", () => this.step(-1), "Shift+F7"), tool("history.nextChange", "down", () => this.step(1), "F7")];

  constructor(private readonly sheet: () => Sheet) {
    this.steps = element("span", { class: "steps" }, ...this.ways, this.spot);
  }

  /** The text is here; `instead` is said where nothing is compared. */
  show(pieces: readonly Piece[], instead: string | null): void {
    const { added, removed } = tally(pieces);
    const { all } = this.sheet().place;
    const count = (key: "history.added" | "history.removed", n: number, kind: string): HTMLElement => element("span", { class: kind }, t(key, { n }));
    if (instead !== null) this.counts.replaceChildren(instead);
    else if (all === 0) this.counts.replaceChildren(t("history.same.text"));
    else if (added + removed === 0) this.counts.replaceChildren(t("history.unchanged"));
    else this.counts.replaceChildren(count("history.added", added, "came"), " ", count("history.removed", removed, "went"));
    for (const way of this.ways) way.setAttribute("aria-disabled", String(all === 0));
    this.showSpot();
  }

  step(by: 1 | -1): void {
    this.sheet().step(by);
    this.showSpot();
  }

  private showSpot(): void {
    const { at, all } = this.sheet().place;
    this.spot.textContent = all === 0 ? "" : at === 0 ? t("history.changes", { n: all }) : t("history.change", { at, n: all });
  }
}
