/** Times in the person's language. */

import { spoken } from "../base/messages.ts";

/** The time of day of an RFC 3339 time or of milliseconds since the epoch. */
export function clock(when: string | number): string {
  return shown(when, { hour: "2-digit", minute: "2-digit" });
}

/** With the day, when it is not today: for what may be old. */
export function since(when: number): string {
  const today = new Date(when).toDateString() === new Date().toDateString();
  return today ? clock(when) : shown(when, { dateStyle: "medium", timeStyle: "short" });
}

/** Day and second. */
export function full(when: string | number): string {
  return shown(when, { dateStyle: "full", timeStyle: "medium" });
}

function shown(when: string | number, how: Intl.DateTimeFormatOptions): string {
  const date = new Date(when);
  return Number.isNaN(date.getTime()) ? String(when) : new Intl.DateTimeFormat(spoken(), how).format(date);
}
