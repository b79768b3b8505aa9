/** Sizes and times in the person's language; the formats are made once, since a list needs them thousands of times. */

import { spoken } from "../base/messages.ts";

const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const STEP = 1000;

type Format = "today" | "year" | "older" | "full";

const DATES: Readonly<Record<Format, Intl.DateTimeFormatOptions>> = {
  today: { hour: "2-digit", minute: "2-digit" },
  year: { day: "numeric", month: "short" },
  older: { day: "numeric", month: "short", year: "numeric" },
  full: { dateStyle: "full", timeStyle: "short" },
};

const dates = new Map<string, Intl.DateTimeFormat>();
const numbers = new Map<string, Intl.NumberFormat>();

/** The language of the page as it is spoken where the person lives: English has more than one order of day and month. */
function locale(): string {
  return navigator.languages.find((each) => each.split("-")[0] === spoken()) ?? spoken();
}

function cached<T>(cache: Map<string, T>, key: string, make: (locale: string) => T): T {
  const name = `${spoken()} ${key}`;
  const found = cache.get(name) ?? make(locale());
  cache.set(name, found);
  return found;
}

function date(format: Format, time: Date): string {
  return cached(dates, format, (where) => new Intl.DateTimeFormat(where, DATES[format])).format(time);
}

/** 1536 -> "1.5 kB" (powers of 1000). */
export function size(count: number): string {
  // "33 byte", as the formats have it, is not what one reads in lists.
  if (count < STEP) return `${count} ${spoken() === "fr" ? "o" : "B"}`;
  let unit = 0;
  let value = count / STEP;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  const digits = value < 9.95 ? 1 : 0;
  const options = { style: "unit", unit: UNITS[unit] ?? "kilobyte", unitDisplay: "short", maximumFractionDigits: digits } as const;
  return cached(numbers, `${unit} ${digits}`, (where) => new Intl.NumberFormat(where, options)).format(value);
}

/** A time (RFC 3339, or seconds since the epoch) as short as it is clear, and in full. */
export function time(when: string | number, now = new Date()): { iso: string; short: string; full: string } {
  const at = new Date(typeof when === "number" ? when * 1000 : when);
  if (Number.isNaN(at.getTime())) return { iso: "", short: "", full: "" };
  const format = at.toDateString() === now.toDateString() ? "today" : at.getFullYear() === now.getFullYear() ? "year" : "older";
  return { iso: at.toISOString(), short: date(format, at), full: date("full", at) };
}
