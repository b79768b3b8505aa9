/** Why the server refuses a document, in words, and what the person can do. */

import { t } from "../base/messages.ts";

export type Remedy = "sign-in" | "retry" | "files" | "download" | "copy" | "unsent" | "reload" | "join";

export interface Refusal {
  title: string;
  text: string;
  remedies: readonly Remedy[];
}

/** What each reason lets one do; "copy", "unsent" and "join" are offered when there is something to copy. */
const REMEDIES = {
  unauthorized: ["sign-in", "retry", "copy", "unsent"],
  forbidden: ["retry", "files", "copy", "unsent"],
  denied: ["retry", "files", "copy", "unsent"],
  // Forbidden while it was open.
  withdrawn: ["retry", "files", "copy", "unsent"],
  "not-found": ["files", "retry", "copy", "unsent"],
  "not-text": ["download", "files", "unsent"],
  "too-large": ["download", "copy", "unsent", "files"],
  // What the document would be with the last changes, not what it is.
  "grown": ["copy", "unsent", "reload"],
  lineage: ["join", "copy", "unsent", "reload"],
  equivocation: ["copy", "unsent", "reload"],
  malformed: ["copy", "unsent", "reload", "files"],
  // In a frame of another site.
  over: ["copy", "unsent"],
} as const satisfies Readonly<Record<string, readonly Remedy[]>>;

type Reason = keyof typeof REMEDIES;

const BY_CLOSE_CODE: Readonly<Record<number, string>> = {
  4400: "malformed",
  4401: "unauthorized",
  4403: "forbidden",
  4404: "not-found",
  4409: "lineage",
  4413: "too-large",
  4415: "not-text",
};

/** What to show for a reason; null when the reason is passing and the page just comes back later. */
export function refusal(reason: string): Refusal | null {
  return known(reason) ? { title: t(`words.refusal.${reason}.title`), text: t(`words.refusal.${reason}.text`), remedies: REMEDIES[reason] } : null;
}

function known(reason: string): reason is Reason {
  return Object.hasOwn(REMEDIES, reason);
}

/** The final reason of a close code, or null when the connection just comes back. */
export function reasonOfClose(code: number, reason: string): string | null {
  const word = reason.split(":")[0] ?? "";
  return known(word) ? word : (BY_CLOSE_CODE[code] ?? null);
}

/** The reason with what was going on: words that are refused while they are typed are another matter than a document that can't be opened. */
export function inContext(reason: string, { open, edits }: { open: boolean; edits: number }): string {
  if (reason === "forbidden" && open) return "withdrawn";
  return reason === "too-large" && open && edits > 0 ? "grown" : reason;
}

/** Reasons for which words are not sent again unasked: they were themselves what the server refused. */
export function blames(reason: string): boolean {
  return ["grown", "equivocation", "malformed"].includes(reason);
}

/** The same in a frame of another site, from where only the document can be reached. */
export function inFrame(reason: string, said: Refusal): Refusal {
  const shown = reason === "unauthorized" ? (refusal("over") ?? said) : said;
  return { ...shown, remedies: shown.remedies.filter((remedy) => remedy !== "sign-in" && remedy !== "files") };
}

/** Seconds to wait before the attempt after this many refusals that pass; `random` is in [0, 1). */
export function backOff(refusals: number, random: number): number {
  const longest = Math.min(60, 2 * 2 ** Math.min(refusals, 10));
  return longest / 2 + (random * longest) / 2;
}
