/** Whose each stretch of a shared text is, from the ids of its characters. */

import type * as Y from "yjs";

import type { Authors, Span } from "./authors.ts";

/** UTF-16 units of the text from, to, and whose. */
export interface Run {
  from: number;
  to: number;
  /** A place in the list of authors; null: not known yet. */
  author: number | null;
}

/** Whose the clocks of clients are: what the server told, and behind it whose page the client is. */
export class Whose {
  private readonly clients: ReadonlyMap<number, readonly Span[]>;

  constructor(
    authors: Pick<Authors, "clients">,
    /** The author whose page a client is, if that is known. */
    private readonly page: (client: number) => number | null,
  ) {
    this.clients = new Map(Object.entries(authors.clients).map(([client, spans]) => [Number(client), spans]));
  }

  /** The parts of a stretch of clocks, in order: to clock, and whose. */
  *parts(client: number, from: number, to: number): Generator<readonly [to: number, author: number | null]> {
    const spans = this.clients.get(client) ?? [];
    let at = from;
    for (let place = first(spans, from); at < to; place += 1) {
      const span = spans[place];
      if (span === undefined) return yield [to, this.page(client)];
      if (span[1] <= at) continue;
      at = Math.min(span[1], to);
      yield [at, span[2]];
    }
  }
}

/** The last span that begins at this clock or before. */
function first(spans: readonly Span[], clock: number): number {
  let low = 0;
  let high = spans.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.[0] ?? 0) <= clock) low = middle;
    else high = middle;
  }
  return low;
}

/** The runs of a text; neighbours of one author are one. */
export function runsIn(text: Y.Text, whose: Whose): Run[] {
  const runs: Run[] = [];
  let at = 0;
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue;
    const { client, clock } = item.id;
    const start = at;
    for (const [end, author] of whose.parts(client, clock, clock + item.length)) {
      const to = start + end - clock;
      const before = runs[runs.length - 1];
      if (before?.author === author) before.to = to;
      else runs.push({ from: at, to, author });
      at = to;
    }
  }
  return runs;
}
