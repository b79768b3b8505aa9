/** What is said when words could not be sent: what happened, what is safe, what is only here, and what one can do. */

import type { Session } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import { note, unnote, type Act } from "../base/notes.ts";
import { address } from "../base/page.ts";
import { viewOnly } from "../base/viewing.ts";
import { changesIn } from "./kept.ts";
import type { Stranded } from "./returned.ts";
import { inFrame, refusal, type Refusal, type Remedy } from "./refusals.ts";
import { since } from "./times.ts";

/** Words of this page that are not stored. */
export interface Unsent {
  n: number;
  /** On this device, beyond the life of this page. */
  kept: boolean;
  /** What was typed, "" when nothing was. */
  typed: string;
}

/** What can be done, by whoever can do it. */
export interface Doer {
  readonly path: string;
  readonly framed: boolean;
  /** Whether a whole text can be merged into the document on the server. */
  readonly joins: boolean;
  /** The whole text, or null before it is here. */
  whole(): string | null;
  unsent(): Unsent;
  signIn(): void;
  retry(): void;
  again(): void;
  download(): Act;
  show(): void;
  /** Merge the whole text of this page into the document, which has another history. */
  join(): void;
  /** Merge such a text of an earlier page. */
  bring(stranded: Stranded): void;
  /** Send what was held back. */
  release(stranded: Stranded): void;
  discard(stranded: Stranded): void;
}

export class Outcomes {
  /** Says once more why there is no going on. */
  private again: (() => void) | null = null;

  constructor(private readonly doer: Doer) {}

  /** The server refuses the document. */
  refused(reason: string): void {
    this.again = () => this.refused(reason);
    const plainly = refusal(reason);
    if (plainly === null) return;
    const said = this.doer.framed ? inFrame(reason, plainly) : plainly;
    this.tell("refusal", said);
  }

  /** The server did not take what was typed. */
  loss(readOnly: boolean): void {
    const remedies: Remedy[] = ["copy", "unsent", "retry", "reload"];
    this.tell("loss", { title: t("words.loss.title"), text: t(readOnly ? "words.loss.readOnly" : "words.loss.text"), remedies });
  }

  /** Nothing can be stored just now. */
  full(why: string): void {
    this.tell("full", { title: t("words.unstorable.title"), text: t("words.unstorable.text", { why }), remedies: ["copy", "unsent"] });
  }

  /** Somebody else is signed in in this browser. */
  stranger(now: Session, me: string): void {
    this.again = () => this.stranger(now, me);
    const acts: Act[] = [
      { label: t("words.act.sign-in"), act: () => this.doer.signIn(), kind: "primary" },
      ...this.copies(),
      { label: t("words.act.other", { name: now.name }), act: () => this.doer.again() },
    ];
    const text = [t("words.stranger.text", { me, now: now.name }), this.here()];
    note("refusal", { title: t("words.stranger.title", { name: now.name }), text, acts, kind: "grave" });
  }

  /** The document is in the bin. */
  deleted(by: string, time: string, put: () => void): void {
    this.again = () => this.deleted(by, time, put);
    const back: Act = { label: t("words.act.restore"), act: put, kind: "primary" };
    const acts = [back, ...(["files", "copy", "unsent"] as const).flatMap((remedy) => this.act(remedy))];
    note("refusal", { title: t("words.deleted.title"), text: [t("words.deleted.text", { by, time }), this.here()], acts, kind: "grave" });
  }

  /** What is only here is kept better now, or worse. */
  renew(): void {
    this.again?.();
  }

  /** It goes on; says whether the note had the keyboard's focus. */
  over(): boolean {
    this.again = null;
    return unnote("refusal");
  }

  /** Words of earlier pages are in the document now. */
  returned(n: number, at: number): void {
    const acts = [
      { label: t("words.act.show"), act: () => this.doer.show() },
      { label: t("common.close"), act: () => void unnote("returned") },
    ];
    note("returned", { text: t("words.returned", { n, time: since(at) }), acts });
  }

  /** Words of earlier pages can't be added. */
  stranded(stranded: Stranded): void {
    const { records, why, whole, typed } = stranded;
    const key = `stranded-${why}`;
    const n = changesIn(records);
    const first = Math.min(...records.map(({ at }) => at));
    const done = (act: () => void) => () => {
      unnote(key);
      act();
    };
    const again: Act = { label: t("words.act.send"), act: done(() => this.doer.release(stranded)) };
    const bring: Act = { label: t("words.act.join"), act: done(() => this.doer.bring(stranded)), kind: "primary" };
    const acts: Act[] = [
      ...(why === "lineage" && whole !== null && this.doer.joins ? [bring] : []),
      ...(whole === null ? [] : [{ label: t("words.act.whole"), act: () => this.save(whole) }]),
      ...(typed === "" ? [] : [{ label: t("words.act.unsent"), act: () => this.save(typed, true) }]),
      ...(why === "refused" ? [again] : []),
      { label: t("words.act.discard"), act: done(() => this.doer.discard(stranded)), ask: t("words.discard.ask", { n }) },
    ];
    const text = [t(`words.stranded.${why}`), t("words.stranded.safe"), whole === null && typed === "" ? t("words.stranded.nothing") : ""];
    note(key, { title: t("words.stranded.title", { n, time: since(first) }), text, acts, kind: "grave" });
  }

  /** Words that nobody came back for in a long time, of one document. */
  old(stranded: Stranded, path: string): void {
    const { records, whole, typed } = stranded;
    const n = changesIn(records);
    const key = `old-${records[0]?.key ?? 0}`;
    const drop = (): void => {
      unnote(key);
      this.doer.discard(stranded);
    };
    const acts: Act[] = [
      ...(whole === null ? [] : [{ label: t("words.act.whole"), act: () => this.save(whole, false, path) }]),
      ...(typed === "" ? [] : [{ label: t("words.act.unsent"), act: () => this.save(typed, true, path) }]),
      { label: t("words.act.discard"), act: drop, ask: t("words.discard.ask", { n }) },
    ];
    note(key, { text: t("words.old", { n, name: path, time: since(records[0]?.at ?? 0) }), acts });
  }

  /** What did not work. */
  failed(text: string): void {
    note("failed", { text, acts: [{ label: t("common.close"), act: () => void unnote("failed") }] });
  }

  private tell(key: string, { title, text, remedies }: Refusal): void {
    const acts = remedies.flatMap((remedy) => this.act(remedy));
    note(key, { title, text: [text, this.here()], acts, kind: "grave" });
  }

  /** What is only here, and how well. */
  private here(): string {
    const { n, kept } = this.doer.unsent();
    if (n === 0) return "";
    return t(kept ? "words.here.kept" : "words.here.page", { n });
  }

  private act(remedy: Remedy): Act[] {
    const { doer } = this;
    switch (remedy) {
      case "copy":
        return this.copies().slice(0, 1);
      case "unsent":
        return this.copies().slice(1);
      case "join":
        return doer.joins && doer.whole() !== null ? [{ label: t("words.act.join"), act: () => doer.join(), kind: "primary" }] : [];
      case "sign-in":
        return [{ label: t("words.act.sign-in"), act: () => doer.signIn(), kind: "primary" }];
      case "retry":
        return [{ label: t("common.retry"), act: () => doer.retry() }];
      case "files":
        return [{ label: t("common.files"), act: address.files(folderOf(doer.path)) }];
      case "download":
        return viewOnly ? [] : [doer.download()];
      case "reload":
        return [{ label: t("words.act.reload"), act: () => doer.again() }];
    }
  }

  /** Of the whole text, and of what was typed and not stored. */
  copies(): Act[] {
    const whole = this.doer.whole();
    const { typed } = this.doer.unsent();
    if (whole === null || viewOnly) return [];
    return [
      { label: t("words.act.copy"), act: () => this.save(this.doer.whole() ?? whole) },
      ...(typed === "" ? [] : [{ label: t("words.act.unsent"), act: () => this.save(this.doer.unsent().typed || typed, true) }]),
    ];
  }

  private save(text: string, part = false, path = this.doer.path): void {
    const name = fileName(path) || t("common.document");
    const dot = name.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    saveAs(new Blob([text], { type: "text/plain;charset=utf-8" }), part ? `${stem} ${t("words.unsentFile")}${ending}` : name);
  }
}

/** Let the browser save it as a file. */
export function saveAs(bytes: Blob, name: string): void {
  const url = URL.createObjectURL(bytes);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
