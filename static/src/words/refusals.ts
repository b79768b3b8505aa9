/** Why the server refuses a document, in words, and what the person can do. */

export type Remedy = "sign-in" | "retry" | "files" | "download" | "copy" | "reload";

export interface Refusal {
  title: string;
  text: string;
  remedies: readonly Remedy[];
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  unauthorized: {
    title: "You are not signed in",
    text: "Your session has ended. Open the address that “collab serve” printed, or let “collab login” print a new one; then try again here: nothing on this page is lost meanwhile.",
    remedies: ["retry", "sign-in", "copy"],
  },
  forbidden: {
    title: "You may not open this document",
    text: "Ask its owner for access, then try again.",
    remedies: ["retry", "files", "copy"],
  },
  denied: {
    title: "The server may not open this file",
    text: "The storage refuses it. Ask whoever runs the server to look at the permissions of the file.",
    remedies: ["retry", "files", "copy"],
  },
  "not-found": {
    title: "There is no such document",
    text: "It may have been moved, renamed or deleted.",
    remedies: ["files", "retry", "copy"],
  },
  "not-text": {
    title: "This file is not text",
    text: "It can’t be edited here. You can download it as it is.",
    remedies: ["download", "files"],
  },
  "too-large": {
    title: "This document is too large",
    text: "It is over the limit for editing in the browser. You can download it as it is.",
    remedies: ["download", "copy", "files"],
  },
  lineage: {
    title: "The document has another history now",
    text: "It was replaced on the server, for example from a backup, so that this page’s copy can’t be joined with it. What the server stored before is safe. What was not stored yet is only here: save a copy, then reload.",
    remedies: ["copy", "reload"],
  },
  equivocation: {
    title: "This page’s copy contradicts the server’s",
    text: "The server keeps both sides apart so that nothing is overwritten. What was stored before is safe. Save a copy of your text, then reload.",
    remedies: ["copy", "reload"],
  },
  malformed: {
    title: "The server did not understand this page",
    text: "Save a copy of your text if you typed anything, then reload.",
    remedies: ["copy", "reload", "files"],
  },
};

const OVER: Refusal = {
  title: "Your access has ended",
  text: "Open the document again from the site that shows it here. What the server stored is safe; what was not stored yet is only on this page: save a copy of it first.",
  remedies: ["copy"],
};

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
  return Object.hasOwn(REFUSALS, reason) ? (REFUSALS[reason] ?? null) : null;
}

/** The final reason of a close code, or null when the connection just comes back. */
export function reasonOfClose(code: number, reason: string): string | null {
  return refusal(reason) === null ? (BY_CLOSE_CODE[code] ?? null) : reason;
}

/** The same in a frame of another site, from where only the document can be reached. */
export function inFrame(reason: string, said: Refusal): Refusal {
  if (reason === "unauthorized") return OVER;
  return { ...said, remedies: said.remedies.filter((remedy) => remedy !== "sign-in" && remedy !== "files") };
}

/** Seconds to wait before the attempt after this many refusals that pass; `random` is in [0, 1). */
export function backOff(refusals: number, random: number): number {
  const longest = Math.min(60, 2 * 2 ** Math.min(refusals, 10));
  return longest / 2 + (random * longest) / 2;
}
