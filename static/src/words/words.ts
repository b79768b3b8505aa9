/** What has become of the words typed here: a pure function of facts. "Stored" is said only of what the server made durable. */

import { t } from "../base/messages.ts";

/** The server's own account of the document (stateless message `collab:state`). */
export interface Report {
  version: string;
  /** Updates of this page that the server has and has not yet made durable. */
  owed: number;
  /** `gone`: deleted by somebody outside; the text is only on the server. */
  file: "saved" | "pending" | "failed" | "gone";
  /** RFC 3339, or null when this server has not written the file. */
  savedAt: string | null;
  detail: string;
  /** Why nothing can be made durable just now, or "". */
  journal: string;
  /** Whether what the server acknowledges outlives a crash there; else only what is in the file does. */
  durable: boolean;
  writable: boolean;
  /** Why who could write before can't now: the right was `taken` away, nobody may write the `file`, another application has it `locked`, or took the lock that was ours (`lost`). */
  why: "" | "taken" | "file" | "locked" | "lost";
  /** Who has the lock, and in which application, as far as that is known. */
  by: string;
  application: string;
  /** Where a copy of the text is that is not in the file, or "". */
  kept: string;
  path: string;
  /** The name that survives a rename, when the server tells it. */
  id: string | null;
  /** Who we are for the server, or "". */
  person: string;
}

export interface Facts {
  /** Of the connection: `ended` is final until the person acts. */
  link: "opening" | "open" | "lost" | "ended";
  /** Updates made here since everything was last durable. */
  edits: number;
  /** Messages that the server has not acknowledged as durable, the handshake's one included. */
  unsynced: number;
  /** Words have waited for seconds and the browser says that it has no network; the connection may not know yet. */
  cutOff: boolean;
  /** The server said that it will not take changes that we sent. */
  refused: boolean;
  readOnly: boolean;
  /** Why the server turned us away for a while ("too-many", "unavailable", …), or "". */
  passing: string;
  /** The connection is one over plain HTTP, because no WebSocket gets through. */
  slow: boolean;
  report: Report | null;
}

/** What is said of the words that are not stored: `made` here, and how many of these are `kept` on this device. */
export interface Tally {
  made: number;
  kept: number;
  /** The browser keeps nothing for us. */
  broken: boolean;
}

export type State = "connecting" | "local" | "received" | "stored" | "in-file" | "offline" | "failed" | "refused";

export interface Words {
  state: State;
  text: string;
  /** The same for a narrow page. */
  short: string;
}

type Time = (iso: string) => string;

const PREFIX = "collab:state ";

/** The report in a stateless message; null for any other message. */
export function reportIn(payload: string): Report | null {
  if (!payload.startsWith(PREFIX)) return null;
  try {
    return report(JSON.parse(payload.slice(PREFIX.length)));
  } catch {
    return null;
  }
}

function report(json: unknown): Report | null {
  if (typeof json !== "object" || json === null) return null;
  const said = json as Record<string, unknown>;
  const text = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
  const file = text("file");
  return {
    version: text("version"),
    owed: typeof said["owed"] === "number" ? said["owed"] : 0,
    file: file === "saved" || file === "failed" || file === "gone" ? file : "pending",
    savedAt: text("saved_at") || null,
    detail: text("detail"),
    journal: text("journal"),
    durable: said["durable"] !== false,
    writable: said["writable"] !== false,
    why: reason(text("why")),
    by: text("by"),
    application: text("application"),
    kept: text("kept"),
    path: text("path"),
    id: text("id") || null,
    person: text("person"),
  };
}

function reason(why: string): Report["why"] {
  return why === "taken" || why === "file" || why === "locked" || why === "lost" ? why : "";
}

/** The same report as long as words of ours are underway: it was made before they arrived, so that the file is not "saved" for us. */
export function doubted(report: Report): Report {
  return report.file === "saved" ? { ...report, file: "pending" } : report;
}

/** The state of my words; `time` shows a time of the server in the person's own way. */
export function words(facts: Facts, tally: Readonly<Tally>, time: Time): Words {
  if (facts.link === "ended") return ended(facts.edits, tally);
  if (facts.refused) return said("refused", t("words.refused"), t("words.short.refused"));
  if (facts.link === "lost" || (facts.cutOff && facts.edits > 0)) return offline(facts, tally);
  if (facts.link === "opening") return said("connecting", t("words.connecting"), t("words.short.connecting"));
  return facts.unsynced > 0 ? underway(facts, tally) : settled(facts, time);
}

/** Whether leaving the page would lose words that are not kept on this device. */
export function atRisk(facts: Facts): boolean {
  return facts.edits > 0;
}

/** Where unsent changes are, in a few words; never "on this device" of what is not written there yet. */
export function whereabouts(edits: number, { made, kept, broken }: Readonly<Tally>): { n: number; kept: boolean } {
  return broken || kept === 0 ? { n: Math.max(edits, made), kept: false } : { n: Math.min(kept, Math.max(made, edits)), kept: true };
}

function said(state: State, text: string, short: string): Words {
  return { state, text, short };
}

function ended(edits: number, tally: Readonly<Tally>): Words {
  const short = t("words.short.ended");
  if (edits === 0) return said("refused", t("words.ended"), short);
  const { n, kept } = whereabouts(edits, tally);
  return said("refused", t(kept ? "words.ended.kept" : "words.ended.page", { n }), short);
}

function offline({ edits, passing }: Facts, tally: Readonly<Tally>): Words {
  const short = t("words.short.offline", { n: edits });
  const away = passing === "too-many" ? t("words.full") : t("words.offline");
  if (edits === 0) return said("offline", away, t("words.short.away"));
  const { n, kept } = whereabouts(edits, tally);
  return said("offline", t(kept ? "words.offline.kept" : "words.offline.page", { away, n }), short);
}

function underway({ edits, unsynced, report }: Facts, tally: Readonly<Tally>): Words {
  if (edits === 0) return said("connecting", t("words.comparing"), t("words.short.connecting"));
  if (report === null || unsynced > report.owed) {
    const kept = !tally.broken && tally.kept >= tally.made && tally.made > 0;
    return said("local", t(kept ? "words.local.kept" : "words.local"), t("words.short.local"));
  }
  if (report.journal !== "") return said("failed", t("words.unstorable", { why: report.journal }), t("words.short.unstorable"));
  return said("received", t("words.received"), t("words.short.received"));
}

function settled({ readOnly, report }: Facts, time: Time): Words {
  if (report?.file === "failed") {
    const why = report.detail || t("words.unwritten.why");
    if (!report.durable) return said("failed", t("words.unstorable", { why }), t("words.short.unstorable"));
    return said("failed", t("words.unwritten", { why }), t("words.short.unwritten"));
  }
  if (report?.file === "gone") return said("failed", t("words.gone"), t("words.short.gone"));
  if (report?.file !== "saved") {
    if (report?.durable === false && !readOnly) return said("received", t("words.received"), t("words.short.received"));
    const text = t(readOnly ? "words.upToDate" : "words.stored");
    return said("stored", text, text);
  }
  if (report.savedAt === null) return said("in-file", t("words.inFile"), t("words.short.inFile"));
  const at = { time: time(report.savedAt) };
  return said("in-file", t("words.inFile.at", at), t("words.short.inFile.at", at));
}
