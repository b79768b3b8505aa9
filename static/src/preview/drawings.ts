/** What is drawn only when it comes near the screen: formulas, colours of code, diagrams. */

import { Steps } from "./time.ts";

/** Something to draw, once. */
export interface Drawing {
  /** Draw now if all that is needed is there; false: not yet. */
  now(): boolean;
  /** Draw, whatever has to be loaded first; never rejects. */
  later(): Promise<void>;
  /** It only looks; its elements may be others by then. */
  minor?: boolean;
}

export class Drawings {
  /** By the block that they are in. */
  private readonly waiting = new Map<Element, Drawing[]>();
  private readonly running = new Set<Promise<void>>();
  private readonly queue: Drawing[] = [];
  private working = false;

  /** Draw these when their block comes near. */
  add(block: Element, drawings: Drawing[]): void {
    if (drawings.length > 0) this.waiting.set(block, drawings);
  }

  /** Whether something of the block is not drawn yet. */
  awaits(block: Element): boolean {
    return this.waiting.has(block);
  }

  /** The block is gone. */
  forget(block: Element): void {
    this.waiting.delete(block);
  }

  /** The blocks are near. */
  draw(blocks: Iterable<Element>): void {
    for (const block of blocks) {
      this.queue.push(...(this.waiting.get(block) ?? []));
      this.waiting.delete(block);
    }
    if (this.queue.length > 0) void this.work();
  }

  /** Resolved when all is drawn, far from the screen too. */
  async complete(): Promise<void> {
    this.draw([...this.waiting.keys()]);
    while (this.working || this.running.size > 0) {
      await Promise.all(this.running);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    const steps = new Steps();
    for (let drawing; (drawing = this.queue.shift()) !== undefined; await steps.next(false)) if (!drawing.now()) this.run(drawing);
    this.working = false;
  }

  private run(drawing: Drawing): void {
    const running = drawing.later().finally(() => this.running.delete(running));
    this.running.add(running);
  }
}
