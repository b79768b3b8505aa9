/** Work in small steps, so that keys are never kept waiting. */

/** Milliseconds that a step may take. */
const STEP = 8;

interface Scheduling {
  yield?: () => Promise<void>;
}

export class Steps {
  private started = performance.now();

  /** Resolved at once while there is time in this step, else in the next one; `idle`: only when the page has nothing else to do. */
  async next(idle: boolean): Promise<void> {
    if (performance.now() - this.started < STEP) return;
    await (idle ? rest() : turn());
    this.started = performance.now();
  }
}

function turn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: Scheduling };
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve));
}

function rest(): Promise<void> {
  // A page that is never idle comes to its end too.
  const idle = "requestIdleCallback" in globalThis;
  return new Promise((resolve) => void (idle ? requestIdleCallback(() => resolve(), { timeout: 1000 }) : setTimeout(resolve, 30)));
}
