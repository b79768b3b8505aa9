/** What is drawn only when it comes near the screen: formulas, colours of code, diagrams. */

import { Steps } from "./time.ts";

/** Something to draw into its element, once. */
export interface Drawing {
  element: HTMLElement;
  /** Draw now if all that is needed is there; false: not yet. */
  now(): boolean;
  /** Draw, whatever has to be loaded first; never rejects. */
  later(): Promise<void>;
}

export class Drawings {
  private readonly waiting = new Map<Element, Drawing>();
  private readonly near: IntersectionObserver;
  private readonly running = new Set<Promise<void>>();
  private readonly queue: Drawing[] = [];
  private working = false;

  constructor(root: HTMLElement) {
    this.near = new IntersectionObserver((entries) => this.came(entries), { root, rootMargin: "100% 0px" });
  }

  /** Draw it when it is near; `warm`: at once if that needs no waiting, for what is being typed. */
  add(drawing: Drawing, warm: boolean): void {
    if (warm && drawing.now()) return;
    this.waiting.set(drawing.element, drawing);
    this.near.observe(drawing.element);
  }

  /** The element is gone, with all in it. */
  forget(gone: Element): void {
    if (this.waiting.size === 0) return;
    for (const each of [gone, ...gone.querySelectorAll("*")]) if (this.waiting.delete(each)) this.near.unobserve(each);
  }

  /** Resolved when all is drawn, far from the screen too. */
  async complete(): Promise<void> {
    this.take([...this.waiting.values()]);
    while (this.working || this.running.size > 0) {
      await Promise.all(this.running);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  private came(entries: readonly IntersectionObserverEntry[]): void {
    const seen = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => this.waiting.get(target));
    this.take(seen.filter((each) => each !== undefined));
  }

  private take(drawings: readonly Drawing[]): void {
    for (const drawing of drawings) {
      this.waiting.delete(drawing.element);
      this.near.unobserve(drawing.element);
      this.queue.push(drawing);
    }
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    const steps = new Steps();
    for (let drawing; (drawing = this.queue.shift()) !== undefined; ) {
      if (!drawing.now()) this.run(drawing);
      await steps.next(false);
    }
    this.working = false;
  }

  private run(drawing: Drawing): void {
    const running = drawing.later().finally(() => this.running.delete(running));
    this.running.add(running);
  }
}
