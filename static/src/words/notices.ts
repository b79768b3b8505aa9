/** What the server tells of the file outside of our words (stateless message `collab:notice`): other programs, copies, deletions, restorations. */

export type Notice =
  /** Another program wrote the file, and that is in the text now. */
  | { kind: "merged"; by: string }
  /** A save of ours replaced what another program wrote at the same moment; it is in the text now. */
  | { kind: "replaced" }
  /** What another program, or somebody, wrote is near to nothing: it is beside the file. */
  | { kind: "conflict"; path: string; by: string }
  /** A save would have emptied the file: what would have been written is beside it. */
  | { kind: "kept"; path: string }
  /** What an office suite sent could not be taken: it is beside the file. */
  | { kind: "rejected"; path: string; by: string }
  /** Somebody opened the file in an application outside; the name may be empty. */
  | { kind: "held"; by: string; application: string }
  /** Nobody has it open there any more. */
  | { kind: "free" }
  | { kind: "gone" }
  | { kind: "back" }
  /** Somebody said something else about the document. */
  | { kind: "about"; tags: string[]; description: string }
  /** Somebody made an earlier version the text. */
  | { kind: "restored"; by: string };

const PREFIX = "collab:notice ";

/** The notice in a stateless message; null for any other message, and for kinds that a newer server may have. */
export function noticeIn(payload: string): Notice | null {
  if (!payload.startsWith(PREFIX)) return null;
  try {
    return notice(JSON.parse(payload.slice(PREFIX.length)));
  } catch {
    return null;
  }
}

function notice(json: unknown): Notice | null {
  if (typeof json !== "object" || json === null) return null;
  const said = json as Record<string, unknown>;
  const text = (key: string): string => (typeof said[key] === "string" ? said[key] : "");
  const [kind, path, by] = [text("kind"), text("path"), text("by")];
  switch (kind) {
    case "merged":
    case "restored":
      return { kind, by };
    case "conflict":
    case "rejected":
      return path === "" ? null : { kind, path, by };
    case "kept":
      return path === "" ? null : { kind, path };
    case "held":
      return { kind, by, application: text("application") };
    case "about": {
      const tags = Array.isArray(said["tags"]) ? said["tags"].filter((each) => typeof each === "string") : [];
      return { kind, tags, description: text("description") };
    }
    case "replaced":
    case "free":
    case "gone":
    case "back":
      return { kind };
    default:
      return null;
  }
}
