/** What was typed, read from updates: for a copy of words that can't be sent. */

import * as Y from "yjs";

type Read = ReturnType<typeof Y.decodeUpdate>;

/** Clocks from and to (exclusive) of each client. */
type Spans = Map<number, [number, number][]>;

/**
 * The pieces of text that these updates insert and do not delete again.
 *
 * In the order of the document when it holds them, else in the order in which they were typed.
 */
export function typed(updates: readonly Uint8Array[], texts: readonly Y.Text[] | null): string[] {
  const readable = updates.filter(isReadable);
  if (readable.length === 0) return [];
  const read = Y.decodeUpdate(Y.mergeUpdates(readable));
  const wanted = spans(read);
  const pieces = texts === null ? inOrderOfTyping(read) : texts.flatMap((text) => inOrderOfText(text, wanted));
  return pieces.filter((piece) => piece !== "");
}

function isReadable(update: Uint8Array): boolean {
  try {
    Y.decodeUpdate(update);
    return true;
  } catch {
    return false;
  }
}

function spans({ structs }: Read): Spans {
  const found: Spans = new Map();
  for (const { id, length } of structs) found.set(id.client, [...(found.get(id.client) ?? []), [id.clock, id.clock + length]]);
  return found;
}

function inOrderOfText(text: Y.Text, wanted: Spans): string[] {
  const pieces: string[] = [];
  let joined = false;
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !(item.content instanceof Y.ContentString)) continue;
    for (const [piece, ours] of parts(item, item.content.str, wanted)) {
      if (ours && joined) pieces.push(`${pieces.pop() ?? ""}${piece}`);
      else if (ours) pieces.push(piece);
      joined = ours;
    }
  }
  return pieces;
}

/** A run of text in pieces that are wanted or not: a library may have joined what one client typed before and now. */
function parts({ id, length }: Y.Item, string: string, wanted: Spans): [string, boolean][] {
  const ranges = wanted.get(id.client) ?? [];
  const found: [string, boolean][] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    const start = Math.max(at, Math.min(length, from - id.clock));
    const end = Math.max(start, Math.min(length, to - id.clock));
    if (start > at) found.push([string.slice(at, start), false]);
    if (end > start) found.push([string.slice(start, end), true]);
    at = end;
  }
  if (at < length) found.push([string.slice(at), false]);
  return found;
}

function inOrderOfTyping({ structs, ds }: Read): string[] {
  const pieces: string[] = [];
  let last: Y.ID | null = null;
  for (const struct of structs) {
    if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString)) continue;
    const string = left(struct.id, struct.content.str, ds);
    const goesOn = last !== null && struct.origin !== null && Y.compareIDs(struct.origin, last);
    if (goesOn && pieces.length > 0) pieces.push(`${pieces.pop() ?? ""}${string}`);
    else pieces.push(string);
    last = struct.lastId;
  }
  return pieces;
}

/** What of a run is not deleted by the same updates. */
function left(id: Y.ID, string: string, { clients }: Read["ds"]): string {
  const gone = clients.get(id.client) ?? [];
  return [...units(string)].filter((_, at) => !gone.some(({ clock, len }) => clock <= id.clock + at && id.clock + at < clock + len)).join("");
}

function* units(string: string): Iterable<string> {
  for (let at = 0; at < string.length; at += 1) yield string.charAt(at);
}
