/** Where people are in a document, whatever kind it is of, and the ways to them. */

import type { Somebody } from "./presence.ts";

export interface Places {
  /** What somebody does, in words: where their caret is, and whether they type. */
  words(who: Somebody): string;
  /** Whether the place of a client's caret is known. */
  has(client: number): boolean;
  /** Bring a client's caret into view; when it is comfortably there already, nothing moves unless `centre` is wanted. */
  reveal(client: number, centre: boolean): void;
  /** Show the name at a client's caret again. */
  point(client: number): void;
  /** Called when carets are somewhere else; gives the way to stop. */
  watch(listener: () => void): () => void;
  /** Called at each edit that is made on this page; gives the way to stop. */
  watchOwn(listener: () => void): () => void;
  /** Give the keyboard back to the document. */
  focus(): void;
}
