/** Sizes and times as people read them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** 1536 -> "1.5 kB" (powers of 1000). */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A time of the server (RFC 3339, or seconds since the epoch) in the person's own zone. */
export function moment(when: string | number): { iso: string; full: string; short: string } {
  const date = new Date(typeof when === "number" ? when * 1000 : when);
  if (Number.isNaN(date.getTime())) return { iso: "", full: "", short: "" };
  const today = date.toDateString() === new Date().toDateString();
  return {
    iso: date.toISOString(),
    full: date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" }),
    short: today ? clock(date) : date.toLocaleDateString(undefined, { dateStyle: "medium" }),
  };
}

/** The time of day of an RFC 3339 time. */
export function timeOfDay(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : clock(date);
}

function clock(date: Date): string {
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}
