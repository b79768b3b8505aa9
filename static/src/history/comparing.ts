/** With what a version is compared, and which two texts that are. Green is always what came later. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { briefly } from "./telling.ts";
import type { Version } from "./sittings.ts";

/** A number: with that version. */
export type Against = "before" | "now" | "none" | number;

/** Numbers of versions. `to`: null for the text as it is now; `from`: null for the one before, which the server knows. */
export interface Pair {
  from: number | null;
  to: number | null;
}

/** The texts to look at; `shown` ascend, and `more` says that there are older ones. */
export function pair(current: number, against: Against, shown: readonly Version[], more: boolean): Pair {
  if (against === "none" || against === current) return { from: current, to: current };
  if (against === "now") return { from: current, to: null };
  if (against !== "before") return { from: Math.min(current, against), to: Math.max(current, against) };
  const before = shown.findLast(({ number }) => number < current);
  if (before === undefined && !more) return { from: current, to: current };
  return { from: before?.number ?? null, to: current };
}

/** Which of both texts is that of the version: what the other one has in addition. */
export const foreign = ({ to }: Pair, current: number): "added" | "removed" => (to === current ? "removed" : "added");

const THIS = "this";

/** The choice of what to compare with. */
export class Comparing {
  against: Against = "before";
  readonly field = element("select", { id: "history-against" });
  readonly whole = element("p", { class: "field" }, element("label", { for: this.field.id }, t("history.compare")), this.field);

  constructor(
    private readonly current: () => number,
    changed: () => void,
  ) {
    this.field.addEventListener("change", () => {
      const { value } = this.field;
      this.against = value === THIS ? this.current() : value === "before" || value === "now" || value === "none" ? value : Number(value);
      changed();
    });
  }

  /** `versions` are all that are known. */
  show(versions: readonly Version[]): void {
    const { against } = this;
    const option = (value: string, label: string): HTMLOptionElement => element("option", { value, selected: value === String(against) }, label);
    const chosen = typeof against === "number" ? versions.find(({ number }) => number === against) : undefined;
    const named = versions.filter(({ name, number }) => name !== "" && number !== against);
    const group = element("optgroup", { label: t("history.against.named") }, ...named.reverse().map((each) => option(String(each.number), each.name)));
    this.field.replaceChildren(
      ...(["before", "now", "none"] as const).map((value) => option(value, t(`history.against.${value}`))),
      ...(chosen === undefined ? [] : [option(String(against), t("history.against.version", { when: chosen.name || briefly(chosen) }))]),
      ...(against === this.current() ? [] : [option(THIS, t("history.against.this"))]),
      ...(named.length === 0 ? [] : [group]),
    );
  }
}
