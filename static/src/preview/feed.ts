/** The worker that renders, fed with the text and its changes. */

import type { ChangeSet, Text } from "@codemirror/state";

import { worker } from "../base/trusted.ts";
import type { Order, Patch } from "./letters.ts";
import { MARK } from "./sanitise.ts";
import address from "./worker.ts?worker&url";

/** Milliseconds after which a worker is taken for lost in a text that it can't come to an end with. */
const PATIENCE = 20_000;

/** Milliseconds after which an answer is late: the text is large. */
const LATE = 12;
/** Milliseconds for which a late answer waits for the next key, to be drawn with it: a frame is the dearest part of it. */
const WAIT = 150;
/** Milliseconds for which what is pressed may hold the preview: not every press is told to end. */
const PRESS = 5000;

/** A text that was sent: what made it of the one before, or null for a text as a whole. */
interface Sent {
  version: number;
  doc: Text;
  changes: ChangeSet | null;
  at: number;
}

export class Feed {
  private worker: Worker | null = null;
  private version = 0;
  /** The text that is shown. */
  private shown: Sent | null = null;
  /** What was sent since. */
  private sent: Sent[] = [];
  private waiting: (() => void)[] = [];
  /** What happened while nobody looked. */
  private unsent: ChangeSet | null = null;
  private resting = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private held: Patch[] = [];
  private holding: ReturnType<typeof setTimeout> | undefined;
  private pressed: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** `all`: nothing of what was shown stays. */
    private readonly show: (patch: Patch, all: boolean) => void,
    private readonly failed: () => void,
  ) {}

  /** Show the text from now on. */
  start(doc: Text): void {
    this.resting = false;
    const { unsent } = this;
    this.unsent = null;
    if (this.worker === null) this.text(doc);
    else if (unsent !== null) this.changes(unsent, doc);
  }

  /** Nobody looks. */
  rest(): void {
    this.resting = true;
  }

  private text(doc: Text): void {
    this.shown = null;
    this.sent = [];
    this.send({ kind: "text", version: this.next(doc, null), mark: MARK, text: doc.toString() });
  }

  changes(changes: ChangeSet, doc: Text): void {
    if (this.worker === null) return;
    if (this.resting) {
      this.unsent = this.unsent?.compose(changes) ?? changes;
      return;
    }
    this.send({ kind: "changes", version: this.next(doc, changes), changes: changes.toJSON() });
    if (this.held.length > 0) requestAnimationFrame(() => this.letGo());
  }

  /** Something on the page is being pressed: what is drawn stays until `release`, for a click is lost on what is replaced under it. */
  hold(): void {
    clearTimeout(this.pressed);
    this.pressed = setTimeout(() => this.release(), PRESS);
  }

  release(): void {
    clearTimeout(this.pressed);
    this.pressed = undefined;
    this.letGo();
  }

  /** The text has changed since what is shown. */
  get behind(): boolean {
    return this.sent.length > 0 || this.unsent !== null;
  }

  /** Where a line of the text that is shown (counted from 0) begins in the text as it is now, and what was written there. */
  place(line: number): { at: number; was: string } | null {
    if (this.shown === null || line >= this.shown.doc.lines) return null;
    const { from, text } = this.shown.doc.line(line + 1);
    return { at: this.since().reduce((at, changes) => changes.mapPos(at, 1), from), was: text };
  }

  /** The line of the text that is shown (counted from 0) for a position in the text as it is now. */
  line(at: number): number {
    if (this.shown === null) return 0;
    const then = this.since()
      .toReversed()
      .reduce((position, changes) => changes.invertedDesc.mapPos(position, 1), at);
    return this.shown.doc.lineAt(Math.min(then, this.shown.doc.length)).number - 1;
  }

  /** Resolved when the newest text is shown, or cannot be. */
  settled(): Promise<void> {
    if (this.worker === null || this.sent.length === 0) return Promise.resolve();
    queueMicrotask(() => this.letGo());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private since(): ChangeSet[] {
    return [...this.sent.map(({ changes }) => changes), this.unsent].filter((changes) => changes !== null);
  }

  private next(doc: Text, changes: ChangeSet | null): number {
    this.version += 1;
    this.sent.push({ version: this.version, doc, changes, at: performance.now() });
    return this.version;
  }

  private send(order: Order): void {
    this.worker ??= this.hired();
    this.worker.postMessage(order);
    this.timer ??= setTimeout(() => this.give(), PATIENCE);
  }

  private hired(): Worker {
    const made = worker(address);
    made.addEventListener("message", ({ data }: MessageEvent<Patch>) => this.arrived(data));
    made.addEventListener("error", () => this.give());
    return made;
  }

  private arrived(patch: Patch): void {
    const asked = this.sent.find(({ version }) => version === patch.version)?.at ?? 0;
    const late = this.shown !== null && performance.now() - asked > LATE;
    const free = this.waiting.length > 0 || (!late && this.pressed === undefined);
    if (this.held.length === 0 && free) return this.take(patch);
    this.held.push(patch);
    this.holding ??= setTimeout(() => this.letGo(), WAIT);
  }

  private letGo(): void {
    clearTimeout(this.holding);
    this.holding = undefined;
    if (this.pressed !== undefined && this.waiting.length === 0) return;
    for (const patch of this.held.splice(0)) this.take(patch);
  }

  private take(patch: Patch): void {
    const index = this.sent.findIndex(({ version }) => version === patch.version);
    const now = this.sent[index];
    // Of a text that was replaced as a whole meanwhile.
    if (now === undefined) return;
    const all = this.shown === null;
    this.shown = now;
    this.sent = this.sent.slice(index + 1);
    clearTimeout(this.timer);
    this.timer = this.sent.length === 0 ? undefined : setTimeout(() => this.give(), PATIENCE);
    this.show(patch, all);
    if (this.sent.length === 0) this.settle();
  }

  private give(): void {
    this.worker?.terminate();
    this.worker = null;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.settle();
    this.failed();
  }

  private settle(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
