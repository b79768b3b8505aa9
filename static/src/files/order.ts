/** In which order the entries of a view stand: remembered by the browser. */

import type { Entry } from "./entries.ts";
import { stem } from "./naming.ts";
import type { View } from "./place.ts";

export const COLUMNS = ["name", "size", "when"] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly by: Column;
  readonly down: boolean;
}

type Orders = Readonly<Record<View, Order>>;

const KEY = "collab-order";
const BY_NAME: Order = { by: "name", down: false };
const NEWEST: Order = { by: "when", down: true };
export const DEFAULT_ORDERS: Orders = { files: BY_NAME, starred: BY_NAME, recent: NEWEST, bin: NEWEST };

/** A new list in this order: folders first, names as people count ("2" before "10", "a.md" before "a 2.md"), equal ones by name. */
export function sorted(entries: readonly Entry[], { by, down }: Order, language: string): Entry[] {
  const { compare } = new Intl.Collator(language, { numeric: true });
  const stems = new Map(entries.map((entry) => [entry, entry.isFolder ? entry.name : stem(entry.name)]));
  const names = (a: Entry, b: Entry): number => compare(stems.get(a) ?? "", stems.get(b) ?? "") || compare(a.path, b.path);
  const times = new Map(by === "when" ? entries.map((entry) => [entry, seconds(entry.when)]) : []);
  const columns: Readonly<Record<Column, (a: Entry, b: Entry) => number>> = {
    name: names,
    size: (a, b) => a.size - b.size,
    when: (a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0),
  };
  const column = columns[by];
  return [...entries].sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || (down ? -1 : 1) * column(a, b) || names(a, b));
}

/** The order after a press on a column's head: the other way round, or first as most people want it. */
export function pressed(now: Order, by: Column): Order {
  return now.by === by ? { by, down: !now.down } : { by, down: by !== "name" };
}

/** What was stored, as far as it makes sense. */
export function ordersIn(stored: string | null): Orders {
  const said = object(stored);
  const valid = Object.entries(said).filter(([view, order]) => Object.hasOwn(DEFAULT_ORDERS, view) && isOrder(order));
  return { ...DEFAULT_ORDERS, ...(Object.fromEntries(valid) as Partial<Orders>) };
}

export function rememberedOrders(): Orders {
  try {
    return ordersIn(localStorage.getItem(KEY));
  } catch {
    return DEFAULT_ORDERS;
  }
}

export function remember(orders: Orders): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(orders));
  } catch {
    // Where nothing can be kept it holds for this page.
  }
}

function object(stored: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(stored ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isOrder(value: unknown): value is Order {
  const order = value as Partial<Order> | null;
  return typeof order === "object" && COLUMNS.some((column) => column === order?.by) && typeof order?.down === "boolean";
}

function seconds(when: string | number): number {
  return typeof when === "number" ? when : Date.parse(when) / 1000 || 0;
}
