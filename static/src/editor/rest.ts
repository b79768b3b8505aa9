/** Work that is done in small steps while nobody types. */

/** Milliseconds of a step. */
const STEP = 4;

const later = (act: () => void): void => {
  if ("requestIdleCallback" in globalThis) requestIdleCallback(act, { timeout: 500 });
  else setTimeout(act, 30);
};

/** Run a generator to its end, a few milliseconds at a time; what a former run has left is forgotten. */
export class Rest {
  private run = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Begin anew after `pause` milliseconds without another call. */
  begin(pause: number, work: () => Iterator<void>): void {
    this.stop();
    const run = this.run;
    this.timer = setTimeout(() => this.step(run, work()), pause);
  }

  stop(): void {
    this.run += 1;
    clearTimeout(this.timer);
  }

  private step(run: number, work: Iterator<void>): void {
    if (run !== this.run) return;
    const end = performance.now() + STEP;
    while (performance.now() < end) if (work.next().done === true) return;
    later(() => this.step(run, work));
  }
}
