/** Asks the worker what the text counts, a moment after the last change: a key press costs no more than noting where it was. */

import type { ChangeSet, Text } from "@codemirror/state";
import type { ViewUpdate } from "@codemirror/view";

import { worker } from "../base/trusted.ts";
import type { Answer, Question } from "./count.worker.ts";
import address from "./count.worker.ts?worker&url";
import type { Desk } from "./desk.ts";
import { touched } from "./touched.ts";

/** Milliseconds of rest before somebody counts. */
const PAUSE = 300;

export class Counting {
  private readonly worker = worker(address);
  private known: Text | null = null;
  private changes: ChangeSet | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly desk: Desk,
    show: (answer: Answer) => void,
  ) {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => show(data));
    desk.watch((update) => this.note(update));
    this.soon();
  }

  private note(update: ViewUpdate): void {
    if (update.docChanged && this.known !== null) this.changes = this.changes?.compose(update.changes) ?? update.changes;
    if (update.docChanged || update.selectionSet) this.soon();
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  private ask(): void {
    const { doc, selection } = this.desk.view.state;
    const { gone, come } = this.known === null || this.changes === null ? { gone: [], come: this.known === null ? [doc.toString()] : [] } : touched(this.known, doc, this.changes);
    this.known = doc;
    this.changes = null;
    const selected = selection.ranges.every(({ empty }) => empty) ? null : selection.ranges.map(({ from, to }) => doc.sliceString(from, to)).join("\n");
    const question: Question = { gone, come, selected };
    this.worker.postMessage(question);
  }
}
