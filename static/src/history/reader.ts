/** Gets the texts of versions, shows them, and says so when it can't. */

import { Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import type { Pair } from "./comparing.ts";
import type { Piece } from "./pieces.ts";
import { Sheet } from "./sheet.ts";
import { difference as storedDifference, type Beside, type StoredVersion } from "./stored.ts";
import { difference } from "./versions.ts";

/** Milliseconds for which one rests on a version before its text is asked for: who slides passes many. */
const REST = 60;
/** Milliseconds after which one is told that the text is on its way. */
const LATE = 400;
/** Units of UTF-16 of texts that are kept to come back to. */
const KEPT = 8_000_000;

export interface Asked extends Pair {
  label: string;
  /** One of the cloud's versions, and with what it is compared. */
  stored?: { version: StoredVersion; against: Beside };
}

/** What the reader tells of itself. */
export interface Listener {
  /** The text is shown. */
  shown(pieces: readonly Piece[]): void;
  /** The version is not there any more. */
  gone(): void;
}

export class Reader {
  readonly whole = element("div", { class: "leaf", "aria-busy": "true" });
  readonly sheet: Sheet;
  only = false;
  /** What is shown, null while it is on its way. */
  pieces: readonly Piece[] | null = null;
  private readonly state = element("div", { class: "state", role: "status", hidden: true });
  private readonly known = new Map<string, readonly Piece[]>();
  /** What was asked for last. */
  asked: Asked | null = null;
  private reading: AbortController | null = null;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private late: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly document: string,
    fileName: string,
    private readonly listener: Listener,
  ) {
    const parent = element("div", { class: "editor" });
    this.whole.append(parent, this.state);
    this.sheet = new Sheet(parent, fileName);
  }

  /** Show this, as soon as it is here; what was asked for before is not wanted any more. */
  read(asked: Asked): void {
    this.stop();
    this.asked = asked;
    this.pieces = null;
    this.whole.setAttribute("aria-busy", "true");
    const known = this.known.get(key(asked));
    if (known !== undefined) return this.show(known, asked);
    this.rest = setTimeout(() => void this.fetch(asked), REST);
    this.late = setTimeout(() => this.tell(t("history.reading")), LATE);
  }

  /** The same text again: other folds, or the text as it is now. */
  again(): void {
    if (this.asked !== null) this.read(this.asked);
  }

  /** Ask for nothing any more. */
  stop(): void {
    clearTimeout(this.rest);
    clearTimeout(this.late);
    this.reading?.abort();
    this.reading = null;
  }

  private async fetch(asked: Asked): Promise<void> {
    const reading = (this.reading = new AbortController());
    try {
      const { stored } = asked;
      const pieces = await (stored === undefined
        ? difference(this.document, asked.from, asked.to, reading.signal)
        : storedDifference(this.document, stored.version, stored.against, reading.signal));
      if (reading.signal.aborted) return;
      // The text as it is now is another one in a moment.
      if (asked.to !== null && stored?.against !== "now") this.keep(key(asked), pieces);
      this.show(pieces, asked);
    } catch (error) {
      if (!reading.signal.aborted) this.failed(error);
    }
  }

  private show(pieces: readonly Piece[], { label }: Asked): void {
    clearTimeout(this.late);
    this.pieces = pieces;
    this.tell("");
    this.sheet.show(pieces, { label, only: this.only });
    this.whole.setAttribute("aria-busy", "false");
    this.listener.shown(pieces);
  }

  private keep(name: string, pieces: readonly Piece[]): void {
    this.known.set(name, pieces);
    let size = 0;
    for (const [each, texts] of [...this.known].reverse()) {
      size += texts.reduce((sum, { text }) => sum + text.length, 0);
      if (size > KEPT && each !== name) this.known.delete(each);
    }
  }

  private failed(error: unknown): void {
    clearTimeout(this.late);
    this.whole.setAttribute("aria-busy", "false");
    const { status, message } = error instanceof Problem ? error : { status: 0, message: String(error) };
    if (status === 404) return this.listener.gone();
    if (status === 415) return this.tell(t("history.notText"));
    this.tell(message, button(t("common.retry"), () => this.again()));
  }

  private tell(text: string, ...more: HTMLElement[]): void {
    this.state.hidden = text === "";
    this.state.replaceChildren(...(text === "" ? [] : [element("p", {}, text), ...more]));
  }
}

const key = ({ from, to, stored }: Asked): string => (stored === undefined ? `${from}:${to}` : `${stored.against}:${stored.version.key}`);
