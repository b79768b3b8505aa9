/** What has become of my words, at the top of the page: in a few words, and on request in plain ones. */

import { element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { clock } from "./times.ts";
import { words, type Facts, type State, type Tally, type Words } from "./words.ts";
import { Panel } from "./panel.ts";

/** Milliseconds for which what is shown stays: a connection that comes and goes shall not flicker. */
const STEADY = 300;
/** Milliseconds for which a state must last before it is read aloud. */
const SETTLED = 1500;
/** Milliseconds between two times at which one is told that all is well. */
const CALM = 60_000;

/** From good to bad: of what came within a moment, the worst is shown. */
const RANK: readonly State[] = ["in-file", "stored", "received", "connecting", "local", "offline", "failed", "refused"];
const TROUBLE: readonly State[] = ["offline", "failed", "refused"];

export class Indicator {
  private readonly whole = part("words");
  private readonly seen = element("span", { id: "words-seen", class: "long" });
  private readonly short = element("span", { class: "short", "aria-hidden": "true" });
  /** How the page is connected, when that is worth a word. */
  private readonly way = element("span", { id: "words-way", hidden: true }, t("words.slow"));
  private readonly said = part("words-said");
  private readonly panel: Panel;
  private now: Words = words(OPENING, NOTHING, clock);
  private worst: Words = this.now;
  private steady: ReturnType<typeof setTimeout> | undefined;
  private speaking: ReturnType<typeof setTimeout> | undefined;
  private spoken = { trouble: false, at: Number.NEGATIVE_INFINITY };

  constructor() {
    const knob = element("button", { id: "words-more", type: "button", class: "knob" }, this.seen, this.short, this.way);
    this.whole.prepend(knob);
    this.panel = new Panel(knob, this.whole);
    this.display(this.now);
  }

  /** `storedAt`: milliseconds since the epoch when words of this page became durable last, or null. */
  show(facts: Readonly<Facts>, tally: Readonly<Tally>, storedAt: number | null): void {
    this.now = words(facts, tally, clock);
    if (this.whole.dataset["state"] !== this.now.state) this.whole.dataset["state"] = this.now.state;
    const fast = !facts.slow || facts.link !== "open";
    // Each key press comes by here, and what is set anew costs styles.
    if (this.way.hidden !== fast) this.way.hidden = fast;
    this.panel.show(this.now, facts, tally, storedAt);
    if (RANK.indexOf(this.now.state) >= RANK.indexOf(this.worst.state)) this.worst = this.now;
    this.steady ??= setTimeout(() => this.settle(), STEADY);
  }

  private settle(): void {
    this.steady = undefined;
    const shown = this.worst;
    this.display(shown);
    this.worst = this.now;
    if (shown !== this.now) this.steady = setTimeout(() => this.settle(), STEADY);
  }

  private display({ state, text, short }: Words): void {
    if (this.whole.dataset["shown"] !== state) this.whole.dataset["shown"] = state;
    if (this.short.textContent !== short) this.short.textContent = short;
    if (this.seen.textContent === text) return;
    this.seen.textContent = text;
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => this.speak(state, text), SETTLED);
  }

  /** Trouble and its end are always told, that all is well only now and then. */
  private speak(state: State, text: string): void {
    const trouble = TROUBLE.includes(state);
    const well = state === "in-file" || state === "stored";
    const rests = performance.now() - this.spoken.at < CALM;
    if (!trouble && (!well || (rests && !this.spoken.trouble))) return;
    this.spoken = { trouble, at: performance.now() };
    this.said.textContent = t("words.said", { state: text });
  }
}

const OPENING: Facts = { link: "opening", edits: 0, unsynced: 0, cutOff: false, refused: false, readOnly: false, passing: "", slow: false, report: null };
const NOTHING: Tally = { made: 0, kept: 0, broken: false };
