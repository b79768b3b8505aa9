/** The states of my words in plain language: shown when the pointer rests on the indicator, or when it is focused or pressed. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { full } from "./times.ts";
import { whereabouts, type Facts, type Tally, type Words } from "./words.ts";

/** Milliseconds for which the pointer rests first. */
const REST = 400;
/** The way of a word, in order. */
const STEPS = ["local", "received", "stored", "in-file", "offline"] as const;

export class Panel {
  private readonly title = element("p", { class: "title", id: "words-panel-title" });
  private readonly facts = element("dl");
  private readonly steps = element("ol", {}, ...STEPS.map((step) => this.step(step)));
  private readonly history = button(t("history.open"), () => this.look());
  private readonly panel = element("div", { id: "words-panel", class: "words-panel", popover: "auto", role: "group", "aria-labelledby": "words-panel-title" });
  private resting: ReturnType<typeof setTimeout> | undefined;
  private fill: () => void = () => undefined;
  /** Shown by hand, so that it does not go with the pointer. */
  private pinned = false;

  constructor(
    private readonly knob: HTMLButtonElement,
    after: HTMLElement,
  ) {
    this.panel.append(this.title, this.facts, this.history, this.steps);
    after.after(this.panel);
    knob.setAttribute("aria-controls", this.panel.id);
    knob.setAttribute("aria-expanded", "false");
    this.listen();
  }

  /** What it says when it is looked at. */
  show(now: Words, facts: Readonly<Facts>, tally: Readonly<Tally>, storedAt: number | null): void {
    this.fill = () => this.write(now, facts, tally, storedAt);
    if (this.open) this.fill();
  }

  private get open(): boolean {
    return this.panel.matches(":popover-open");
  }

  private listen(): void {
    const { knob, panel } = this;
    let shown = false;
    // A press outside the panel closes it before the click is there, and the knob is outside.
    knob.addEventListener("pointerdown", () => (shown = this.open && this.pinned));
    knob.addEventListener("click", (event) => this.toggle(event.detail === 0 ? !(this.open && this.pinned) : !shown));
    knob.addEventListener("focus", () => knob.matches(":focus-visible") && this.reveal());
    // Who selects something in the panel wants it to stay.
    knob.addEventListener("blur", () => panel.matches(":hover") || this.hide());
    for (const each of [knob, panel] as HTMLElement[]) {
      each.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && this.rest(() => this.reveal()));
      each.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.rest(() => this.pinned || this.hide()));
    }
    panel.addEventListener("toggle", () => {
      knob.setAttribute("aria-expanded", String(this.open));
      this.pinned &&= this.open;
    });
  }

  private rest(act: () => void): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(act, REST);
  }

  private toggle(wanted: boolean): void {
    clearTimeout(this.resting);
    if (!wanted) return this.hide();
    this.reveal();
    this.pinned = true;
  }

  private reveal(): void {
    this.fill();
    if (!this.open) this.panel.showPopover();
    this.place();
  }

  /** What the file held before. */
  private look(): void {
    this.hide();
    dispatchEvent(new CustomEvent("collab-history"));
  }

  private hide(): void {
    if (this.open) this.panel.hidePopover();
  }

  /** Below the knob, within the page. */
  private place(): void {
    const at = this.knob.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - this.panel.offsetWidth - 8));
    this.panel.style.setProperty("left", `${left}px`);
    this.panel.style.setProperty("top", `${at.bottom + 4}px`);
  }

  private step(step: (typeof STEPS)[number]): HTMLLIElement {
    return element("li", { "data-step": step }, element("b", {}, t(`words.step.${step}`)), " ", element("span", {}, t(`words.step.${step}.means`)));
  }

  private write({ state, text }: Words, facts: Readonly<Facts>, tally: Readonly<Tally>, storedAt: number | null): void {
    this.title.textContent = text;
    for (const step of this.steps.children) {
      if (!(step instanceof HTMLElement)) continue;
      if (step.dataset["step"] === state) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    this.history.hidden = !facts.report?.savedAt;
    this.facts.replaceChildren(...rows(facts, tally, storedAt).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  }
}

function rows({ edits, report, passing, slow, link }: Readonly<Facts>, tally: Readonly<Tally>, storedAt: number | null): [string, string][] {
  const found: [string, string][] = [];
  if (edits > 0) {
    const { n, kept } = whereabouts(edits, tally);
    found.push([t("words.panel.waiting"), t(kept ? "words.panel.waiting.kept" : "words.panel.waiting.page", { n })]);
  }
  if (passing !== "") found.push([t("words.panel.why"), t(passing === "too-many" ? "words.panel.why.full" : "words.panel.why.away")]);
  if (slow && link === "open") found.push([t("words.panel.slow"), t("words.panel.slow.why")]);
  if (storedAt !== null) found.push([t("words.panel.stored"), full(storedAt)]);
  if (report?.savedAt) found.push([t("words.panel.file"), full(report.savedAt)]);
  return found;
}
