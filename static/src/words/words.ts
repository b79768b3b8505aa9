/** What has become of the words typed here: a pure function of facts. "Stored" is said only of what the server made durable. */

/** The server's own account of the document (stateless message `collab:state`). */
export interface Report {
  version: string;
  /** Updates of this page that the server has and has not yet made durable. */
  owed: number;
  file: "saved" | "pending" | "failed";
  /** RFC 3339, or null when this server has not written the file. */
  savedAt: string | null;
  detail: string;
  /** Why nothing can be made durable just now, or "". */
  journal: string;
  writable: boolean;
  path: string;
  /** The name that survives a rename, when the server tells it. */
  id: string | null;
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
  report: Report | null;
}

export type State = "connecting" | "local" | "received" | "stored" | "in-file" | "offline" | "failed" | "refused";

export interface Words {
  state: State;
  text: string;
}

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
    file: file === "saved" || file === "failed" ? file : "pending",
    savedAt: text("saved_at") || null,
    detail: text("detail"),
    journal: text("journal"),
    writable: said["writable"] !== false,
    path: text("path"),
    id: text("id") || null,
  };
}

/** The same report as long as words of ours are underway: it was made before they arrived, so that the file is not "saved" for us. */
export function doubted(report: Report): Report {
  return report.file === "saved" ? { ...report, file: "pending" } : report;
}

/** The state of my words; `time` shows a time of the server in the person's own way. */
export function words(facts: Facts, time: (iso: string) => string): Words {
  if (facts.link === "ended") return ended(facts.edits);
  if (facts.refused) return { state: "refused", text: "The server did not take your last changes" };
  if (facts.link === "lost" || (facts.cutOff && facts.edits > 0)) return offline(facts.edits);
  if (facts.link === "opening") return { state: "connecting", text: "Connecting…" };
  return facts.unsynced > 0 ? underway(facts) : settled(facts, time);
}

/** Whether leaving the page would lose words. */
export function atRisk(facts: Facts): boolean {
  return facts.edits > 0;
}

function ended(edits: number): Words {
  return { state: "refused", text: edits > 0 ? `Not connected: ${changes(edits)} only on this page` : "Not connected" };
}

function offline(edits: number): Words {
  return { state: "offline", text: edits > 0 ? `Offline: ${changes(edits)} kept on this page` : "Offline" };
}

function underway({ edits, unsynced, report }: Facts): Words {
  if (edits === 0) return { state: "connecting", text: "Comparing with the server…" };
  if (report === null || unsynced > report.owed) return { state: "local", text: "Only on this page yet" };
  if (report.journal !== "") return { state: "failed", text: `Received, cannot be stored now: ${report.journal}` };
  return { state: "received", text: "Received, not stored yet" };
}

function settled({ readOnly, report }: Facts, time: (iso: string) => string): Words {
  if (report?.file === "failed") return { state: "failed", text: `Stored, not in the file: ${report.detail || "it could not be written"}` };
  if (report?.file !== "saved") return { state: "stored", text: readOnly ? "Up to date" : "Stored" };
  return { state: "in-file", text: report.savedAt === null ? "In the file" : `In the file (${time(report.savedAt)})` };
}

function changes(count: number): string {
  return count === 1 ? "1 change" : `${count} changes`;
}
