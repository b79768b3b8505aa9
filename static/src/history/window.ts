/** The history of a document over the page: a timeline, the text of a version with what changed in it, and what one can do with it. */

import "../styles/history.css";

import { Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { bringBack, keepCopy, why } from "./acts.ts";
import { Comparing, foreign, pair, type Pair } from "./comparing.ts";
import { List, people } from "./list.ts";
import { Naming } from "./naming.ts";
import { side, tally, type Piece } from "./pieces.ts";
import { address, type Place } from "./place.ts";
import { Reader } from "./reader.ts";
import { Shelf } from "./shelf.ts";
import { moment, source } from "./telling.ts";
import { Timeline } from "./timeline.ts";
import { condensed, nearest, type Version } from "./sittings.ts";
import { rename } from "./versions.ts";

/** More than so many are shown by sittings at first. */
const MANY = 40;
/** Milliseconds between two looks for news while somebody types without a rest. */
const NEWS = 12_000;

let opened: History | null = null;

/** Show the history, at a version where one is named. */
export function showHistory(place: Place, number?: number): void {
  if (opened === null) opened = new History(place, number, () => (opened = null));
  else opened.go(number);
}

class History {
  private readonly shelf: Shelf;
  private readonly reader: Reader;
  private readonly timeline = new Timeline((number) => this.choose(number));
  private readonly list = new List((number, done) => this.pick(number, done));
  private readonly comparing = new Comparing(() => this.current, () => this.compare());
  private readonly naming = new Naming((name) => this.name(name), () => this.place.readOnly);
  private readonly when = element("strong", { class: "when" });
  private readonly about = element("span", { class: "about" });
  private readonly restoring = button(t("history.restore"), () => void this.restore(), "primary");
  private readonly counts = element("span", { class: "counts", role: "status" });
  private readonly spot = element("span", { class: "spot" });
  private readonly only = element("input", { type: "checkbox" });
  private readonly every = element("input", { type: "checkbox" });
  private readonly everyLabel = element("label", { class: "tick", hidden: true }, this.every, t("history.every"));
  private readonly more = button(t("history.more"), () => void this.older());
  private readonly said = element("p", { class: "said", role: "status" });
  private readonly steps = [this.tool("history.previousChange", "up", () => this.step(-1), "Shift+F7"), this.tool("history.nextChange", "down", () => this.step(1), "F7")];
  private readonly knob = button(t("history.list"), () => this.reveal(!this.dialog.classList.contains("listing")), "plain knob");
  private readonly state = element("div", { class: "state", role: "status" });
  private readonly dialog: HTMLDialogElement;
  private readonly leave: () => void;
  /** What one goes through: all versions, or one of each sitting. */
  private shown: readonly Version[] = [];
  private current = -1;
  private news: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly place: Place,
    private readonly wanted: number | undefined,
    private readonly closed: () => void,
  ) {
    this.shelf = new Shelf(place.document, () => this.changed());
    this.reader = new Reader(place.document, fileName(place.path), { shown: (pieces) => this.read(pieces), gone: () => this.gone() });
    this.dialog = this.layout();
    this.listen();
    this.leave = place.watch((saved) => this.hear(saved));
    document.body.append(this.dialog);
    this.dialog.showModal();
    void this.begin();
  }

  /** Show this version, when it is still kept. */
  go(number: number | undefined): void {
    if (number === undefined || number === this.current) return;
    const found = nearest(this.shelf.versions, number);
    if (found?.number !== number) this.say(t("history.gone"));
    if (found !== undefined) this.choose(found.number);
  }

  // --- what it looks like

  private layout(): HTMLDialogElement {
    const close = this.tool("common.close", "close", () => this.dialog.close());
    const title = element("h2", { id: "history-title" }, t("history.title"), " ", element("bdi", {}, fileName(this.place.path)));
    const acts = element("div", { class: "acts" }, this.restoring, this.tool("history.copy", "copy", () => void this.copy()), this.tool("history.download", "download", () => void this.download()), this.tool("history.link", "link", () => void this.link()));
    const facts = element("div", { class: "facts" }, element("div", { class: "which" }, this.when, this.naming.whole, this.about), acts);
    const looking = element(
      "div",
      { class: "looking" },
      this.comparing.whole,
      element("span", { class: "steps" }, ...this.steps, this.spot),
      this.counts,
      element("label", { class: "tick" }, this.only, t("history.only")),
    );
    const aside = element("aside", { "aria-label": t("history.versions") }, element("header", {}, element("h3", {}, t("history.versions")), this.everyLabel), this.list.whole, this.more);
    const body = element("div", { class: "body" }, element("div", { class: "read" }, facts, looking, this.said, this.reader.whole), aside);
    this.knob.setAttribute("aria-expanded", "false");
    return element(
      "dialog",
      { class: "history", "aria-labelledby": "history-title", "data-state": "loading" },
      element("header", { class: "top" }, title, this.knob, close),
      this.timeline.whole,
      this.state,
      body,
    );
  }

  private tool(label: Key, picture: Icon, act: () => void, key?: string): HTMLButtonElement {
    const made = button("", act, "pic");
    made.append(icon(picture));
    made.setAttribute("aria-label", t(label));
    made.title = key === undefined ? t(label) : `${t(label)} (${key})`;
    if (key !== undefined) made.setAttribute("aria-keyshortcuts", key);
    return made;
  }

  private listen(): void {
    const { dialog } = this;
    dialog.addEventListener("close", () => this.end());
    dialog.addEventListener("cancel", (event) => {
      if (!this.listing) return;
      event.preventDefault();
      this.reveal(false);
    });
    dialog.addEventListener("keydown", (event) => this.key(event));
    this.only.addEventListener("change", () => {
      this.reader.only = this.only.checked;
      this.reader.again();
    });
    this.every.addEventListener("change", () => this.changed());
    addEventListener("online", this.online);
  }

  private readonly online = (): void => {
    if (this.dialog.dataset["state"] !== "ready") void this.begin();
    else if (this.reader.pieces === null) this.reader.again();
  };

  private key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.key === "F7") this.step(event.shiftKey ? -1 : 1);
    else if (event.key === "F2") this.naming.edit();
    else return;
    event.preventDefault();
  }

  private end(): void {
    const focused = document.activeElement;
    this.dialog.remove();
    this.leave();
    this.reader.stop();
    this.reader.sheet.end();
    clearTimeout(this.news);
    removeEventListener("online", this.online);
    address(null);
    this.closed();
    // The menu from which it was opened is not there any more.
    if (focused === null || focused === document.body || this.dialog.contains(focused)) this.place.focus();
  }

  // --- the versions

  private async begin(): Promise<void> {
    this.stand("loading", t("history.loading"));
    try {
      await this.shelf.begin();
      const { wanted } = this;
      if (wanted !== undefined && this.shelf.more && (this.shelf.versions[0]?.number ?? 0) > wanted) await this.shelf.older();
      if (this.shelf.newest === undefined) return this.stand("empty", t("history.empty"));
      this.every.checked = this.shelf.versions.length <= MANY;
      this.changed();
      this.stand("ready", "");
      this.timeline.slider.focus();
      const found = nearest(this.shelf.versions, wanted ?? this.shelf.newest.number);
      if (wanted !== undefined && found?.number !== wanted) this.say(t("history.gone"));
      if (found !== undefined) this.choose(found.number);
      await this.shelf.older();
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    if (this.dialog.dataset["state"] === "ready") return this.say(why(error));
    const offline = error instanceof Problem && error.reason === "offline";
    const again = button(t("common.retry"), () => void this.begin());
    this.stand("failed", offline ? t("history.offline") : `${t("history.failed")} ${why(error)}`, again);
    again.focus();
  }

  private stand(state: string, text: string, ...more: HTMLElement[]): void {
    this.dialog.dataset["state"] = state;
    this.state.replaceChildren(...(text === "" ? [] : [element("p", {}, text), ...more]));
  }

  private async older(): Promise<void> {
    await this.shelf.older().catch((error: unknown) => this.failed(error));
  }

  /** There are more versions, or others are to be shown. */
  private changed(): void {
    const { versions } = this.shelf;
    const kept = new Set([this.current, ...(typeof this.comparing.against === "number" ? [this.comparing.against] : [])]);
    const few = condensed(versions, kept);
    this.everyLabel.hidden = few.length === versions.length;
    this.shown = this.every.checked ? versions : few;
    this.more.hidden = !this.shelf.more || this.shelf.reading;
    this.timeline.show(this.shown, this.current);
    this.list.show(this.shown, this.current);
    if (this.current === -1) return;
    this.describe();
    if (this.stale) this.compare();
  }

  /** The version before is another one now. The one that the server found for us was right. */
  private get stale(): boolean {
    const { asked } = this.reader;
    const { from, to } = this.pair;
    return asked !== null && (asked.to !== to || (asked.from !== from && asked.from !== null));
  }

  private hear(saved: boolean): void {
    if (this.dialog.dataset["state"] === "empty" || this.dialog.dataset["state"] === "failed") return void (saved && this.begin());
    if (saved) return void this.look();
    if (this.current !== -1) this.describe();
    this.news ??= setTimeout(() => void this.look(), NEWS);
  }

  private async look(): Promise<void> {
    clearTimeout(this.news);
    this.news = undefined;
    // Who slides sees the trouble by the text that does not come.
    await this.shelf.look().catch(() => undefined);
    if (this.comparing.against === "now") this.reader.again();
  }

  /** The version is not kept any more. */
  private gone(): void {
    this.say(t("history.gone"));
    const at = this.shown.findIndex(({ number }) => number === this.current);
    const next = this.shown[at + 1] ?? this.shown[at - 1];
    const former = this.current;
    if (next !== undefined) this.choose(next.number, false);
    this.shelf.drop(former);
  }

  // --- one version

  private get version(): Version | undefined {
    return this.shelf.find(this.current);
  }

  private get pair(): Pair {
    return pair(this.current, this.comparing.against, this.shown, this.shelf.more);
  }

  /** From the list. */
  private pick(number: number, done: boolean): void {
    this.choose(number);
    if (done) this.reveal(false);
  }

  private choose(number: number, fresh = true): void {
    if (number === this.current) return;
    this.naming.leave();
    this.current = number;
    if (fresh) this.say("");
    if (this.shown.some((version) => version.number === number)) {
      this.timeline.mark(number);
      this.list.mark(number);
      this.describe();
    } else this.changed();
    address(number);
    this.compare();
  }

  private describe(): void {
    const { version } = this;
    if (version === undefined) return;
    const { readOnly } = this.place;
    this.when.textContent = moment(version);
    this.about.replaceChildren(people(version.writers), element("span", { class: "how", "data-source": version.source }, source(version)));
    this.naming.show(version.name);
    this.restoring.hidden = readOnly;
    const newest = this.shelf.newest?.number === version.number;
    this.restoring.setAttribute("aria-disabled", String(newest));
    this.restoring.title = newest ? t("history.newest") : "";
    this.comparing.show(this.shelf.versions);
  }

  private compare(): void {
    const { version } = this;
    if (version === undefined) return;
    this.comparing.show(this.shelf.versions);
    this.reader.read({ ...this.pair, label: t("history.text", { when: moment(version) }) });
  }

  /** The text is here. */
  private read(pieces: readonly Piece[]): void {
    const { from, to } = this.pair;
    const { added, removed } = tally(pieces);
    const { all } = this.reader.sheet.place;
    const count = (key: "history.added" | "history.removed", n: number, kind: string): HTMLElement => element("span", { class: kind }, t(key, { n }));
    const plain = from === to && this.comparing.against !== "none" ? t(this.comparing.against === "before" ? "history.begins" : "history.same.text") : "";
    if (from === to) this.counts.replaceChildren(plain);
    else if (all === 0) this.counts.replaceChildren(t("history.same.text"));
    else if (added + removed === 0) this.counts.replaceChildren(t("history.unchanged"));
    else this.counts.replaceChildren(count("history.added", added, "came"), " ", count("history.removed", removed, "went"));
    for (const step of this.steps) step.setAttribute("aria-disabled", String(all === 0));
    this.showSpot();
  }

  private step(by: 1 | -1): void {
    this.reader.sheet.step(by);
    this.showSpot();
  }

  private showSpot(): void {
    const { at, all } = this.reader.sheet.place;
    this.spot.textContent = all === 0 ? "" : at === 0 ? t("history.changes", { n: all }) : t("history.change", { at, n: all });
  }

  private say(text: string): void {
    this.said.textContent = text;
  }

  private get listing(): boolean {
    return this.dialog.classList.contains("listing");
  }

  /** Where there is no room beside the text, the list lies over it. */
  private reveal(on: boolean): void {
    if (on === this.listing) return;
    this.dialog.classList.toggle("listing", on);
    this.knob.setAttribute("aria-expanded", String(on));
    if (on) this.list.focus();
    else this.knob.focus();
  }

  // --- what one does

  private async name(name: string): Promise<void> {
    const { current } = this;
    try {
      const named = await rename(this.place.document, current, name);
      this.shelf.take([named]);
      this.say(named.name === "" ? t("history.unnamed") : t("history.named", { name: named.name }));
    } catch (error) {
      this.say(why(error));
      this.naming.show(this.version?.name ?? "");
    }
  }

  private async restore(): Promise<void> {
    const { version } = this;
    if (version === undefined || this.restoring.getAttribute("aria-disabled") === "true") return;
    this.restoring.setAttribute("aria-disabled", "true");
    this.say(t("history.restoring"));
    try {
      await bringBack(this.place.document, version, () => showHistory(this.place));
      this.dialog.close();
    } catch (error) {
      this.say(`${t("history.notRestored")} ${why(error)}`);
      this.restoring.setAttribute("aria-disabled", "false");
    }
  }

  private async copy(): Promise<void> {
    const { pieces } = this.reader;
    if (pieces !== null) await this.put(side(pieces, foreign(this.pair, this.current)), "history.copied");
  }

  private link(): Promise<void> {
    return this.put(location.href, "history.linked");
  }

  private async put(text: string, done: "history.copied" | "history.linked"): Promise<void> {
    await navigator.clipboard.writeText(text).then(
      () => this.say(t(done)),
      () => this.say(t("history.notCopied")),
    );
  }

  private async download(): Promise<void> {
    const { version } = this;
    if (version !== undefined) await keepCopy(this.place.document, version, fileName(this.place.path)).catch((error: unknown) => this.say(why(error)));
  }
}
