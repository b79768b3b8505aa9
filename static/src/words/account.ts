/** The account of the words on this page: shows what becomes of them, keeps them, and brings back those of earlier pages. */

import { lease, offer, Problem, type Session } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { unnote, type Act } from "../base/notes.ts";
import { tellAccess } from "./access.ts";
import { binned, putBack, type Binned } from "./bin.ts";
import type { Connection } from "./connection.ts";
import { textsOf } from "./contents.ts";
import { Earlier, type Place } from "./earlier.ts";
import { typed } from "./fragments.ts";
import type { Happenings, Helper } from "./happenings.ts";
import { Indicator } from "./indicator.ts";
import { Keeper } from "./keeper.ts";
import type { Notice } from "./notices.ts";
import { Outcomes, type Doer, type Unsent } from "./outcomes.ts";
import { blames, inContext, refusal } from "./refusals.ts";
import { joined, type Stranded } from "./returned.ts";
import { SigningIn, whoIsHere } from "./signing-in.ts";
import { clock } from "./times.ts";
import { atRisk, whereabouts, type Facts } from "./words.ts";

/** Milliseconds after which a browser has the cookie of a session that took the place of ours. */
const MOMENT = 700;
/** Milliseconds until a part of the page that did not come is asked for again. */
const AGAIN = 3000;
/** Milliseconds in which it is asked once, unasked, who is signed in now. */
const SELDOM = 60_000;

/** The page around the words. */
export interface Page {
  /** Where the document is now. */
  readonly path: string;
  /** The whole text, or null before it is here. */
  whole(): string | null;
  /** Nothing more may be typed. */
  freeze(): void;
  /** Load the page again. */
  again(): void;
  /** Show this place of the text. */
  show(at: Place): void;
  /** Give the keyboard back to the text. */
  focus(): void;
  download(): Act;
}

export class Account {
  private readonly keeper: Keeper;
  private readonly outcomes: Outcomes;
  private readonly indicator = new Indicator();
  private readonly earlier: Earlier;
  private readonly signingIn = new SigningIn((now) => this.signedIn(now));
  /** What the notes about facts say now: they are made anew only when that changes. */
  private told = "";
  private loading: Promise<Happenings> | null = null;
  /** What is to be said once it can be: what happened to the file, and whether it is gone (null when that is said). */
  private readonly unsaid: Notice[] = [];
  private gone: boolean | null = null;
  private saying: ReturnType<typeof setTimeout> | undefined;
  private storedAt: number | null = null;
  /** Who this page is of, as the session said. */
  private me: Session | null = null;
  private opened = false;
  private asked = -SELDOM;

  constructor(
    private readonly connection: Connection,
    private readonly page: Page,
  ) {
    const hurried = (): boolean => connection.facts.link !== "open";
    this.keeper = new Keeper(connection.document, hurried, () => this.changed(connection.facts));
    this.outcomes = new Outcomes(this.doer());
    this.earlier = new Earlier(connection, this.keeper, this.outcomes);
    addEventListener("online", () => connection.hurry());
    addEventListener("pagehide", () => this.keeper.hurry());
    document.addEventListener("visibilitychange", () => this.keeper.hurry());
    addEventListener("beforeunload", (event) => {
      this.keeper.hurry();
      if (atRisk(connection.facts) && !this.keeper.safe) event.preventDefault();
    });
  }

  /** Whose page this is, when it is known. */
  belongs(me: Session): void {
    this.me = me;
  }

  changed(facts: Readonly<Facts>): void {
    this.indicator.show(facts, this.keeper.tally, this.storedAt);
    this.tell(facts);
    const gone = facts.report?.file === "gone";
    if (gone || this.gone !== null || this.loading !== null) {
      this.gone = gone;
      void this.speak();
    }
    const { lineage } = this.connection;
    const { report } = facts;
    if (report === null || report.person === "" || report.id === null || lineage === "") return;
    this.earlier.look({ person: report.person, document: report.id, lineage, path: report.path }, facts);
  }

  /** Something happened to the file. */
  noticed(notice: Notice): void {
    this.unsaid.push(notice);
    void this.speak();
  }

  /** What is said of the file is loaded when there is something to say; when that fails it is tried again in a while. */
  private async speak(): Promise<void> {
    if (this.saying !== undefined) return;
    const loading = (this.loading ??= import("./happenings.ts").then(({ Happenings }) => new Happenings(this.helper())));
    const happenings = await loading.catch(() => null);
    if (happenings !== null) return this.say(happenings);
    // Another one that waited for the same was here before.
    if (this.loading !== loading) return;
    this.loading = null;
    this.saying = setTimeout(() => {
      this.saying = undefined;
      void this.speak();
    }, AGAIN);
  }

  private say(happenings: Happenings): void {
    const { gone } = this;
    this.gone = null;
    if (gone !== null) happenings.file(gone);
    for (const notice of this.unsaid.splice(0)) happenings.tell(notice);
  }

  made(update: Uint8Array): void {
    this.keeper.add(update);
  }

  stored(): void {
    if (this.connection.facts.edits > 0) this.storedAt = Date.now();
    this.keeper.stored();
  }

  /** Load the page again, once what was typed is on this device. */
  async again(): Promise<void> {
    await this.keeper.settle();
    this.page.again();
  }

  /** The document is here. */
  open(): void {
    this.opened = true;
  }

  admitted(): void {
    this.signingIn.end();
    unnote("failed");
    if (this.outcomes.over()) this.page.focus();
  }

  async refused(said: string): Promise<void> {
    const { facts } = this.connection;
    const reason = inContext(said, { open: this.opened, edits: facts.edits });
    // What can't be joined any more shall not grow either.
    if (refusal(reason)?.remedies.every((remedy) => remedy !== "retry")) this.page.freeze();
    // What is said of the words shall be true for as long as it stands there.
    if (facts.edits > 0) await (blames(reason) ? this.keeper.hold(reason) : this.keeper.settle());
    if (said === "forbidden" && (await this.isOthers())) return;
    if (said === "not-found" && (await this.isInBin())) return;
    if (said === "unauthorized" && (await this.isBack())) return;
    // Let in again while we asked.
    if (facts.link !== "ended") return;
    this.outcomes.refused(reason);
    if (said === "unauthorized") this.signingIn.wait();
    if (!this.opened) await this.earlier.without(this.page.path);
  }

  /** Whether somebody else is signed in in this browser now; says so. */
  private async isOthers(): Promise<boolean> {
    const now = lease === null ? await whoIsHere() : null;
    if (now === null || this.mine(now)) return false;
    this.signedIn(now);
    return true;
  }

  /** Whether somebody signed in anew in this browser, which ended the session of before: the same person goes on. It is asked once in a while, unasked. */
  private async isBack(): Promise<boolean> {
    if (lease !== null || performance.now() - this.asked < SELDOM) return false;
    this.asked = performance.now();
    // The new cookie comes with an answer that is still on its way.
    await new Promise((done) => setTimeout(done, MOMENT));
    const now = await whoIsHere();
    if (now === null || this.connection.facts.link !== "ended") return false;
    this.signedIn(now);
    return true;
  }

  private mine({ id }: Session): boolean {
    const person = this.connection.facts.report?.person || this.me?.id || "";
    return person === "" || person === id;
  }

  private signedIn(now: Session): void {
    if (this.mine(now)) return this.connection.retry();
    this.signingIn.wait();
    this.outcomes.stranger(now, this.me?.name ?? t("words.you"));
  }

  /** Whether it was deleted and can be put back; says so. */
  private async isInBin(): Promise<boolean> {
    if (lease !== null) return false;
    const found = await binned(this.connection.facts.report?.path || this.page.path);
    if (found === null || this.connection.facts.link !== "ended") return false;
    this.outcomes.deleted(found.by, clock(found.deleted), () => void this.restore(found));
    return true;
  }

  /** What this page has goes into the document, which has another history; then that is loaded. */
  private async join(): Promise<void> {
    const whole = this.page.whole();
    if (whole === null || !(await this.offered(whole))) return;
    await this.keeper.release().catch(() => undefined);
    await this.again();
  }

  private async bring(stranded: Stranded): Promise<void> {
    if (stranded.whole !== null && (await this.offered(stranded.whole))) await this.earlier.discard(stranded);
  }

  /** Whether the server has it now; says where, if that is beside the document. */
  private async offered(whole: string): Promise<boolean> {
    try {
      const { path } = await offer(this.page.path, whole);
      if (path !== this.page.path) this.outcomes.failed(t("words.join.beside", { name: path }));
      return true;
    } catch (problem) {
      this.outcomes.failed(problem instanceof Problem ? problem.message : String(problem));
      return false;
    }
  }

  private async restore(found: Binned): Promise<void> {
    try {
      await putBack(found);
      this.connection.retry();
    } catch (problem) {
      this.outcomes.failed(problem instanceof Problem ? problem.message : String(problem));
    }
  }

  private tell({ refused, readOnly, report, unsynced, edits, link }: Readonly<Facts>): void {
    const journal = link === "open" && unsynced > 0 && edits > 0 ? (report?.journal ?? "") : "";
    const { n, kept } = this.unsent();
    const { why = "", by = "", application = "", kept: copy = "" } = report ?? {};
    // Who types on after a refusal is not told it with each key.
    const [counted, ended] = [refused || journal !== "" ? [n, kept] : 0, link === "ended" && kept];
    const now = JSON.stringify([refused, readOnly, journal, counted, ended, why, by, application, copy]);
    if (now === this.told) return;
    this.told = now;
    if (tellAccess(readOnly ? report : null)) this.page.focus();
    if (refused) this.outcomes.loss(readOnly);
    else unnote("loss");
    if (link === "ended") this.outcomes.renew();
    if (journal !== "") this.outcomes.full(journal);
    else unnote("full");
  }

  private unsent(): Omit<Unsent, "typed"> {
    const { edits } = this.connection.facts;
    return edits === 0 ? { n: 0, kept: true } : whereabouts(edits, this.keeper.tally);
  }

  private helper(): Helper {
    const { page, connection, outcomes } = this;
    const [id, me] = [(): string => connection.facts.report?.id ?? page.path, (): string => this.me?.name ?? ""];
    return {
      framed: lease !== null,
      get readOnly() {
        return connection.facts.readOnly;
      },
      get id() {
        return id();
      },
      get me() {
        return me();
      },
      copy: () => outcomes.copies().slice(0, 1),
      failed: (text) => outcomes.failed(text),
      focus: () => page.focus(),
    };
  }

  private doer(): Doer {
    const { page, connection } = this;
    return {
      get path() {
        return page.path;
      },
      framed: lease !== null,
      get joins() {
        return !connection.facts.readOnly && connection.document.getMap("collab").get("format") === undefined;
      },
      whole: () => page.whole(),
      unsent: () => ({ ...this.unsent(), typed: joined(typed(this.keeper.unsent, textsOf(connection.document))) }),
      signIn: () => this.signingIn.begin(),
      retry: () => (connection.facts.refused ? connection.anew() : connection.retry()),
      again: () => void this.again(),
      download: () => page.download(),
      show: () => this.earlier.show((at) => page.show(at)),
      join: () => void this.join(),
      bring: (stranded: Stranded) => void this.bring(stranded),
      release: (stranded: Stranded) => void this.earlier.release(stranded),
      discard: (stranded: Stranded) => void this.earlier.discard(stranded),
    };
  }
}
