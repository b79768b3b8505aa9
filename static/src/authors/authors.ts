/** Who wrote what in a document, as the server knows it. */

import { call } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { titled } from "../people/guests.ts";

export interface Author {
  kind: "person" | "erased" | "file" | "program" | "unknown";
  id: string;
  name: string;
  /** `#rrggbb`, or empty for what is no person. */
  color: string;
  /** Code points that are there. */
  characters: number;
  relayed: number;
  deleted: number;
  /** RFC 3339, or null where nobody noted it. */
  first: string | null;
  last: string | null;
}

/** From clock, to clock, whose: a place in the list of authors. */
export type Span = readonly [from: number, to: number, author: number];

export interface Authors {
  /** Code points of the text. */
  characters: number;
  authors: readonly Author[];
  /** By client ids of the CRDT. */
  clients: Readonly<Record<string, readonly Span[]>>;
}

/** Ask the server; `name` is a path or an id. Raises `Problem`. */
export const ask = (name: string): Promise<Authors> => call("GET", `/api/documents/${encodeURIComponent(name)}/authors?runs=clients`);

/** What an author is called. */
export function called(author: Author): string {
  return author.kind === "person" ? titled(author) : t(`authors.kind.${author.kind}`);
}
