/** The history of a document over the page: a timeline, the text of a version with what changed in it, and what one can do with it. */

import "../styles/history.css";

import { Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { bytes } from "../base/show.ts";
import { bringBack, bringStoredBack, keepCopy, why } from "./acts.ts";
import { Changes, tool } from "./changes.ts";
import { Comparing, foreign, pair, type Pair } from "./comparing.ts";
import { Frame } from "./frame.ts";
import { List, people } from "./list.ts";
import { Naming } from "./naming.ts";
import { side, type Piece } from "./pieces.ts";
import { address, type Place } from "./place.ts";
import { Reader } from "./reader.ts";
import { Shelf } from "./shelf.ts";
import { moment, source } from "./telling.ts";
import { Timeline } from "./timeline.ts";
import { condensed, nearest, type Version } from "./sittings.ts";
import { beside, bytes as storedBytes, Stored, type StoredVersion } from "./stored.ts";
import { bytes as versionBytes, rename } from "./versions.ts";

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
  private readonly changes = new Changes(() => this.reader.sheet);
  private readonly only = element("input", { type: "checkbox" });
  private readonly every = element("input", { type: "checkbox" });
  private readonly everyLabel = element("label", { class: "tick", hidden: true }, this.every, t("history.every"));
  private readonly more = button(t("history.more"), () => void this.older());
  private readonly copying = tool("history.copy", "copy", () => void this.copy());
  private readonly linking = tool("history.link", "link", () => void this.link());
  private readonly cloud: Stored;
  /** One of the cloud's versions is shown, and none of ours. */
  private stored: StoredVersion | null = null;
  private readonly frame: Frame;
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
    this.cloud = new Stored(place.document, (version, done) => this.pickStored(version, done));
    this.reader = new Reader(place.document, fileName(place.path), { shown: (pieces) => this.read(pieces), gone: () => this.gone() });
    this.frame = this.layout();
    this.listen();
    this.leave = place.watch((saved) => this.hear(saved));
    document.body.append(this.frame.dialog);
    this.frame.dialog.showModal();
    void this.begin();
  }

  /** Show this version, when it is still kept. */
  go(number: number | undefined): void {
    if (number === undefined || number === this.current) return;
    const found = nearest(this.shelf.versions, number);
    if (found?.number !== number) this.frame.say(t("history.gone"));
    if (found !== undefined) this.choose(found.number);
  }

  // --- what it looks like

  private layout(): Frame {
    const { timeline, list, more, reader, changes, comparing } = this;
    const download = tool("history.download", "download", () => void this.download());
    const only = element("label", { class: "tick" }, this.only, t("history.only"));
    return new Frame(this.place.path, {
      timeline: timeline.whole,
      facts: [this.when, this.naming.whole, this.about],
      acts: [this.restoring, this.copying, download, this.linking],
      looking: [comparing.whole, changes.steps, changes.counts, only],
      text: reader.whole,
      every: this.everyLabel,
      list,
      more,
      stored: this.cloud.whole,
    });
  }

  private listen(): void {
    const { dialog } = this.frame;
    dialog.addEventListener("close", () => this.end());
    dialog.addEventListener("keydown", (event) => this.key(event));
    this.only.addEventListener("change", () => {
      this.reader.only = this.only.checked;
      this.reader.again();
    });
    this.every.addEventListener("change", () => this.changed());
    addEventListener("online", this.online);
  }

  private readonly online = (): void => {
    if (this.frame.stands !== "ready") void this.begin();
    else if (this.reader.pieces === null) this.reader.again();
  };

  private key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.key === "F7") this.changes.step(event.shiftKey ? -1 : 1);
    else if (event.key === "F2") this.naming.edit();
    else return;
    event.preventDefault();
  }

  private end(): void {
    const focused = document.activeElement;
    this.frame.dialog.remove();
    this.leave();
    this.reader.stop();
    this.reader.sheet.end();
    clearTimeout(this.news);
    removeEventListener("online", this.online);
    address(null);
    this.closed();
    // The menu from which it was opened is not there any more.
    if (focused === null || focused === document.body || this.frame.dialog.contains(focused)) this.place.focus();
  }

  // --- the versions

  private async begin(): Promise<void> {
    this.frame.stand("loading", t("history.loading"));
    try {
      await Promise.all([this.shelf.begin(), this.cloud.begin(this.stored?.key ?? null)]);
      const { wanted } = this;
      if (wanted !== undefined && this.shelf.more && (this.shelf.versions[0]?.number ?? 0) > wanted) await this.shelf.older();
      // Closed meanwhile: the address names no version any more.
      if (!this.frame.dialog.isConnected) return;
      if (this.shelf.newest === undefined) return this.without();
      this.every.checked = this.shelf.versions.length <= MANY;
      this.changed();
      this.frame.stand("ready", "");
      this.timeline.slider.focus();
      const found = nearest(this.shelf.versions, wanted ?? this.shelf.newest.number);
      if (wanted !== undefined && found?.number !== wanted) this.frame.say(t("history.gone"));
      if (found !== undefined) this.choose(found.number);
      await this.shelf.older();
    } catch (error) {
      this.failed(error);
    }
  }

  /** There is no version of ours yet: there may be some of the cloud's. */
  private without(): void {
    const [newest] = this.cloud.versions;
    if (newest === undefined) return this.frame.stand("empty", t("history.empty"));
    this.timeline.whole.hidden = true;
    this.frame.stand("ready", "");
    this.pickStored(newest, false);
  }

  private failed(error: unknown): void {
    if (this.frame.stands === "ready") return this.frame.say(why(error));
    const offline = error instanceof Problem && error.reason === "offline";
    const again = button(t("common.retry"), () => void this.begin());
    this.frame.stand("failed", offline ? t("history.offline") : `${t("history.failed")} ${why(error)}`, again);
    again.focus();
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
    this.timeline.whole.hidden = versions.length === 0;
    this.timeline.show(this.shown, this.current);
    this.list.show(this.shown, this.current);
    if (this.current === -1 || this.stored !== null) return;
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
    if (this.frame.stands === "empty" || this.frame.stands === "failed") return void (saved && this.begin());
    if (saved) return void this.look();
    if (this.current !== -1 && this.stored === null) this.describe();
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
    this.frame.say(t(this.stored === null ? "history.gone" : "history.cloud.gone"));
    if (this.stored !== null) return void this.cloud.begin(null);
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
    if (done) this.frame.reveal(false);
  }

  /** One of the cloud's. */
  private pickStored(version: StoredVersion, done: boolean): void {
    this.naming.leave();
    this.frame.say("");
    this.stored = version;
    this.current = -1;
    this.list.mark(-1);
    this.cloud.mark(version.key);
    this.when.textContent = moment(version);
    const how = element("span", { class: "how", "data-source": "cloud" }, t("history.cloud.fact", { size: bytes(version.size) }));
    this.about.replaceChildren(how);
    this.naming.whole.hidden = this.linking.hidden = true;
    this.restoring.hidden = this.place.readOnly || !this.cloud.mayRestore;
    this.restoring.setAttribute("aria-disabled", "false");
    this.restoring.title = "";
    address(null);
    this.compare();
    if (done) this.frame.reveal(false);
  }

  private choose(number: number, fresh = true): void {
    if (number === this.current) return;
    this.naming.leave();
    this.stored = null;
    this.cloud.mark(null);
    this.naming.whole.hidden = this.linking.hidden = false;
    this.current = number;
    if (fresh) this.frame.say("");
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
    const { version, stored } = this;
    if (stored !== null) {
      this.comparing.show([]);
      const against = beside(this.comparing.against);
      return this.reader.read({ from: -1, to: -1, stored: { version: stored, against }, label: t("history.text", { when: moment(stored) }) });
    }
    if (version === undefined) return;
    this.comparing.show(this.shelf.versions);
    this.reader.read({ ...this.pair, label: t("history.text", { when: moment(version) }) });
  }

  /** The text is here. */
  private read(pieces: readonly Piece[]): void {
    if (this.stored !== null) return this.changes.show(pieces, this.comparing.against === "none" ? "" : null);
    const { from, to } = this.pair;
    const plain = (): string => (this.comparing.against === "none" ? "" : t(this.comparing.against === "before" ? "history.begins" : "history.same.text"));
    this.changes.show(pieces, from === to ? plain() : null);
  }

  // --- what one does

  private async name(name: string): Promise<void> {
    const { current } = this;
    try {
      const named = await rename(this.place.document, current, name);
      this.shelf.take([named]);
      this.frame.say(named.name === "" ? t("history.unnamed") : t("history.named", { name: named.name }));
    } catch (error) {
      this.frame.say(why(error));
      this.naming.show(this.version?.name ?? "");
    }
  }

  private async restore(): Promise<void> {
    const { version, stored } = this;
    if ((version === undefined && stored === null) || this.restoring.getAttribute("aria-disabled") === "true") return;
    this.restoring.setAttribute("aria-disabled", "true");
    this.frame.say(t("history.restoring"));
    try {
      const show = (): void => showHistory(this.place);
      if (stored !== null) await bringStoredBack(this.place.document, stored, show);
      else if (version !== undefined) await bringBack(this.place.document, version, show);
      this.frame.dialog.close();
    } catch (error) {
      this.frame.say(`${t("history.notRestored")} ${why(error)}`);
      this.restoring.setAttribute("aria-disabled", "false");
    }
  }

  private async copy(): Promise<void> {
    const { pieces } = this.reader;
    if (pieces === null) return;
    const other = this.stored === null ? foreign(this.pair, this.current) : this.comparing.against === "now" ? "added" : "removed";
    await this.put(side(pieces, other), "history.copied");
  }

  private link(): Promise<void> {
    return this.put(location.href, "history.linked");
  }

  private async put(text: string, done: "history.copied" | "history.linked"): Promise<void> {
    await navigator.clipboard.writeText(text).then(
      () => this.frame.say(t(done)),
      () => this.frame.say(t("history.notCopied")),
    );
  }

  private async download(): Promise<void> {
    const { version, stored, place } = this;
    const shown = stored ?? version;
    if (shown === undefined) return;
    const body = stored === null ? versionBytes(place.document, this.current) : storedBytes(place.document, stored);
    await keepCopy(body, shown.at, fileName(place.path)).catch((error: unknown) => this.frame.say(why(error)));
  }
}
