import { expect, test } from "vitest";
import * as Y from "yjs";

import { typed } from "../src/words/fragments.ts";
import type { Kept, Snapshot } from "../src/words/kept.ts";
import { joined, judge, strand } from "../src/words/returned.ts";

let key = 0;

/** A page that has what the server had, and types without being heard. */
class Away {
  readonly document = new Y.Doc();
  readonly updates: Uint8Array[] = [];

  constructor(server: Y.Doc) {
    Y.applyUpdate(this.document, Y.encodeStateAsUpdate(server));
    this.document.on("update", (update: Uint8Array, origin: unknown) => origin === "server" || this.updates.push(update));
  }

  hear(update: Uint8Array): void {
    Y.applyUpdate(this.document, update, "server");
  }

  get text(): Y.Text {
    return this.document.getText("content");
  }

  records(more: Partial<Kept> = {}): Kept[] {
    const common = { document: "id:a", person: "ann", client: this.document.clientID, lineage: "7", path: "a.md", changes: 1, at: 1, held: "" };
    return this.updates.map((update) => ({ ...common, update, key: (key += 1), ...more }));
  }

  get snapshot(): Snapshot {
    return { document: "id:a", person: "ann", client: this.document.clientID, lineage: "7", update: Y.encodeStateAsUpdate(this.document) };
  }
}

function served(text: string): Y.Doc {
  const made = new Y.Doc();
  made.getText("content").insert(0, text);
  return made;
}
const read = (server: Y.Doc, updates: readonly Uint8Array[]): string => {
  for (const update of updates) Y.applyUpdate(server, update);
  return server.getText("content").toString();
};
const standing = (document: Y.Doc, readOnly = false): { document: Y.Doc; lineage: string; readOnly: boolean } => ({ document, lineage: "7", readOnly });

test("words that build on what the document has are added, once, however often they are kept", () => {
  const server = served("start");
  const away = new Away(server);
  away.text.insert(0, "unsent ");
  const verdict = judge([...away.records(), ...away.records()], [], standing(server));
  expect(verdict).toMatchObject({ stranded: [] });
  expect(read(server, [...verdict.updates, ...verdict.updates])).toBe("unsent start");
});

test("the document is left as it was while it is being judged", () => {
  const server = served("start");
  const away = new Away(server);
  away.text.insert(0, "unsent ");
  judge(away.records(), [], standing(server));
  expect(server.getText("content").toString()).toBe("start");
  expect(server.store.pendingStructs).toBeNull();
});

test("two pages that died bring both their words", () => {
  const server = served("start");
  const [one, other] = [new Away(server), new Away(server)];
  one.text.insert(0, "one ");
  other.text.insert(5, " other");
  const verdict = judge([...one.records(), ...other.records()], [], standing(server));
  expect(read(server, verdict.updates)).toBe("one start other");
});

test("words on what a server from a backup has not come with the page's own copy, or are handed over as they were typed", () => {
  const backup = served("start");
  const server = new Y.Doc();
  Y.applyUpdate(server, Y.encodeStateAsUpdate(backup));
  server.getText("content").insert(5, " lost");
  const away = new Away(server);
  away.text.insert(10, " unsent");
  const [records, bob] = [away.records(), new Away(backup)];
  bob.text.insert(0, "Bob ");

  const without = judge([...records, ...bob.records()], [], standing(backup));
  expect(without.stranded).toMatchObject([{ why: "gap", whole: null, typed: " unsent" }]);
  expect(without.fits).toHaveLength(1);
  expect(backup.getText("content").toString()).toBe("start");

  const withCopy = judge(records, [away.snapshot], standing(backup));
  expect(withCopy.stranded).toEqual([]);
  expect(read(backup, withCopy.updates)).toBe("start lost unsent");
});

test("words of another history are never added, and handed over with all that the page's copy has", () => {
  const empty = new Y.Doc();
  const away = new Away(empty);
  away.text.insert(0, "typed into nothing");
  const verdict = judge(away.records({ lineage: "8" }), [], standing(served("")));
  expect(verdict.fits).toEqual([]);
  expect(verdict.stranded).toMatchObject([{ why: "lineage", whole: null, typed: "typed into nothing" }]);

  const before = new Away(served("before "));
  before.text.insert(7, "and after");
  const copy = { ...before.snapshot, lineage: "8" };
  expect(judge(before.records({ lineage: "8" }), [copy], standing(served(""))).stranded).toMatchObject([{ whole: "before and after", typed: "and after" }]);
});

test("for a reader, and after a refusal, words wait, with the whole text for a copy", () => {
  const server = served("start");
  const away = new Away(server);
  away.text.insert(5, " unsent");
  expect(judge(away.records(), [], standing(server, true)).stranded).toMatchObject([{ why: "read-only", whole: "start unsent", typed: " unsent" }]);
  expect(judge(away.records({ held: "equivocation" }), [], standing(server)).stranded).toMatchObject([{ why: "refused", whole: "start unsent" }]);
});

test("without a document there is the page's copy, and what was typed", () => {
  const away = new Away(served("start"));
  away.text.insert(5, " unsent");
  expect(strand("gone", away.records(), [away.snapshot], null)).toMatchObject({ whole: "start unsent", typed: " unsent" });
  expect(strand("gone", away.records(), [], null)).toMatchObject({ whole: null, typed: " unsent" });
});

test("nonsense instead of an update is no reason to lose the rest", () => {
  const server = served("start");
  const away = new Away(server);
  away.text.insert(0, "unsent ");
  const broken = { ...new Away(server).records()[0], ...away.records({ client: 5 })[0], update: new Uint8Array([255, 255, 1]) } as Kept;
  const verdict = judge([broken, ...away.records()], [], standing(server));
  expect(read(server, verdict.updates)).toBe("unsent start");
  expect(verdict.stranded).toMatchObject([{ why: "gap", typed: "" }]);
});

test("what was typed is read in the order of the document, in pieces, without what was deleted again", () => {
  const away = new Away(served("First line\nSecond line\n"));
  const { text } = away;
  text.insert(22, "at the end 🙂");
  for (const letter of "abc") text.insert(0, letter);
  text.delete(0, 1);
  text.insert(2, "x");
  text.delete(2, 1);
  expect(typed(away.updates, [text])).toEqual(["ba", "at the end 🙂"]);
  expect(joined(typed(away.updates, [text]))).toBe("ba\n\nat the end 🙂");
});

test("without a document it is read in the order of typing, and what goes on goes on", () => {
  const away = new Away(served("start"));
  for (const [at, letter] of [..." word"].entries()) away.text.insert(5 + at, letter);
  away.text.insert(0, "And ");
  away.text.delete(8, 2);
  expect(typed(away.updates, null)).toEqual(["word", "And "]);
});

test("only what is unsent is taken of a run that the library has joined", () => {
  const server = served("start");
  const away = new Away(server);
  away.text.insert(5, " sent");
  away.updates.length = 0;
  away.text.insert(10, " unsent");
  expect(typed(away.updates, [away.text])).toEqual([" unsent"]);
  expect(typed([], [away.text])).toEqual([]);
});
