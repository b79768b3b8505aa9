import { vi } from "vitest";

const LONG = 20_000;

/** What `look` gives as soon as it throws nothing; its last error when that takes far longer than a busy machine needs. */
export function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: LONG, interval: 2 });
}
