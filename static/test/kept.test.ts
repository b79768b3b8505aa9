// @vitest-environment happy-dom
import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";

import { Keeper, type Owner } from "../src/words/keeper.ts";
import { changesIn, Keep, pendingCount, type Kept, type Pending } from "../src/words/kept.ts";
import { until } from "./until.ts";

const OWNER: Owner = { person: "ann", document: "id:a", lineage: "7", path: "a.md" };
const pending = (more: Partial<Pending> = {}): Pending => ({ ...OWNER, client: 1, update: new Uint8Array([0, 0]), changes: 1, at: 1, held: "", ...more });
const open = (): Promise<Keep> => Keep.open();
const texts = (records: readonly Kept[]): string => {
  const made = new Y.Doc();
  for (const { update } of records) Y.applyUpdate(made, update);
  return made.getText("content").toString();
};

let document: Y.Doc;
let keeper: Keeper;

/** A page that keeps what is typed into its document. */
function page(hurried = true, opening?: (lost: () => void) => Promise<Keep>): Keeper {
  const made = new Keeper(document, () => hurried, () => undefined, opening);
  document.on("update", (update: Uint8Array) => made.add(update));
  return made;
}
const type = (text: string): void => document.getText("content").insert(document.getText("content").length, text);
/** Resolved when the next record is being written, and not yet on the disk. */
function firstAdd(): Promise<void> {
  const { add } = IDBObjectStore.prototype;
  return new Promise((resolve) => {
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementationOnce(function (this: IDBObjectStore, ...given: Parameters<typeof add>) {
      resolve();
      return add.apply(this, given);
    });
  });
}
const kept = async (): Promise<Kept[]> => (await open()).of("ann", "id:a");

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  document = new Y.Doc();
  keeper = page();
});
afterEach(() => vi.unstubAllGlobals());

test("what is kept for one person is not found for another, nor for another document", async () => {
  const keep = await open();
  await keep.add(pending());
  await keep.add(pending({ person: "bob", changes: 5 }));
  await keep.add(pending({ document: "id:b", changes: 7 }));
  expect((await keep.of("ann", "id:a")).map(({ changes }) => changes)).toEqual([1]);
  expect(changesIn(await keep.ofPerson("ann"))).toBe(8);
  expect(await Promise.all([pendingCount("ann"), pendingCount("bob"), pendingCount("an"), pendingCount("")])).toEqual([8, 5, 0, 0]);
});

test("nothing is counted where nothing can be kept", async () => {
  vi.stubGlobal("indexedDB", undefined);
  expect(await pendingCount("ann")).toBe(0);
});

test("a page's copy goes with its last record, and with no other's", async () => {
  const keep = await open();
  const keys = [await keep.add(pending()), await keep.add(pending()), await keep.add(pending({ client: 2 }))].map((key) => ({ key }));
  await keep.keepSnapshot({ ...OWNER, client: 1, update: new Uint8Array() });
  await keep.keepSnapshot({ ...OWNER, client: 2, update: new Uint8Array() });
  await keep.remove(keys.slice(0, 1));
  expect((await keep.snapshots("ann", "id:a")).map(({ client }) => client)).toEqual([1, 2]);
  await keep.remove(keys.slice(1, 2));
  expect((await keep.snapshots("ann", "id:a")).map(({ client }) => client)).toEqual([2]);
});

test("what is typed is kept until it is stored, and as often as it is not", async () => {
  keeper.belongs(OWNER);
  type("one ");
  type("two ");
  await until(() => expect(keeper.safe).toBe(true));
  expect(keeper.tally).toEqual({ made: 2, kept: 2, broken: false });
  expect(texts(await kept())).toBe("one two ");
  keeper.stored();
  expect(keeper.tally).toEqual({ made: 0, kept: 0, broken: false });
  await until(async () => expect(await kept()).toEqual([]));
});

test("what is typed while a transaction is under way goes into the next, and is not dropped with the former", async () => {
  keeper.belongs(OWNER);
  type("stored ");
  await Promise.resolve();
  keeper.stored();
  type("not stored");
  expect(keeper.safe).toBe(false);
  await until(async () => {
    expect(keeper.safe).toBe(true);
    const records = await kept();
    expect(changesIn(records)).toBe(1);
  });
});

test("before it is known whose words these are, none are written, and none are called kept", async () => {
  type("early");
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(keeper.tally).toEqual({ made: 1, kept: 0, broken: false });
  keeper.belongs(OWNER);
  await until(() => expect(keeper.safe).toBe(true));
  expect(await kept()).toMatchObject([{ person: "ann", document: "id:a", lineage: "7", path: "a.md", client: document.clientID, changes: 1 }]);
});

test("what is stored within a moment is never written to the disk", async () => {
  const opened = vi.fn(open);
  document = new Y.Doc();
  const quick = page(false, opened);
  quick.belongs(OWNER);
  type("quick");
  quick.stored();
  expect(quick.safe).toBe(true);
  expect(opened).not.toHaveBeenCalled();
});

test("without a storage nothing is called kept, and with one again everything is written that is not stored", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let works = false;
  document = new Y.Doc();
  const unlucky = page(true, () => (works ? open() : Promise.reject(new Error("no room"))));
  unlucky.belongs(OWNER);
  type("first ");
  await until(() => expect(unlucky.tally).toEqual({ made: 1, kept: 0, broken: true }));
  type("second");
  works = true;
  await vi.advanceTimersByTimeAsync(5000);
  vi.useRealTimers();
  await until(() => expect(unlucky.tally).toEqual({ made: 2, kept: 2, broken: false }));
  expect(texts(await kept())).toBe("first second");
});

test("when the storage is cleared under the page, everything that is not stored is written again", async () => {
  let lose = (): void => undefined;
  document = new Y.Doc();
  const robbed = page(true, (lost) => {
    lose = lost;
    return open();
  });
  robbed.belongs(OWNER);
  type("one ");
  type("two");
  await until(() => expect(robbed.safe).toBe(true));
  vi.stubGlobal("indexedDB", new IDBFactory());
  lose();
  expect(robbed.safe).toBe(false);
  await until(() => expect(robbed.safe).toBe(true));
  expect(texts(await kept())).toBe("one two");
});

test("what was being written when the storage was cleared is not called kept before it is in the new one", async () => {
  const storages: (() => void)[] = [];
  let works = true;
  document = new Y.Doc();
  const robbed = page(true, (lost) => {
    storages.push(lost);
    return works ? open() : Promise.reject(new Error("no room"));
  });
  robbed.belongs(OWNER);
  await robbed.storage();
  const writing = firstAdd();
  type("one");
  await writing;
  vi.stubGlobal("indexedDB", new IDBFactory());
  storages[0]?.();
  expect(robbed.safe).toBe(false);
  await until(() => expect(robbed.safe).toBe(true));
  expect(texts(await kept())).toBe("one");
  expect(robbed.tally.kept).toBe(robbed.tally.made);
  works = false;
  storages.at(-1)?.();
  type(" two");
  await until(() => expect(robbed.tally.broken).toBe(true));
  expect(robbed.tally).toEqual({ made: 2, kept: 0, broken: true });
  expect(robbed.safe).toBe(false);
});

test("records of a storage that was cleared are never taken for those of the new one", async () => {
  const [former, next] = [globalThis.indexedDB, new IDBFactory()];
  vi.stubGlobal("indexedDB", next);
  expect(await (await open()).add(pending({ client: 2, changes: 9 }))).toBe(1);
  vi.stubGlobal("indexedDB", former);
  let lose = (): void => undefined;
  document = new Y.Doc();
  const robbed = page(true, (lost) => {
    lose = lost;
    return open();
  });
  robbed.belongs(OWNER);
  await robbed.storage();
  const writing = firstAdd();
  type("mine");
  await writing;
  vi.stubGlobal("indexedDB", next);
  lose();
  await until(async () => expect(changesIn(await kept())).toBe(10));
  robbed.stored();
  type(" and more");
  await until(async () => expect((await kept()).map(({ client, changes }) => [client, changes])).toEqual([[2, 9], [document.clientID, 1]]));
});

test("a long time offline leaves few records, and every letter in them", async () => {
  keeper.belongs(OWNER);
  for (let count = 0; count < 600; count += 1) {
    type("x");
    if (count % 2 === 0) await until(() => expect(keeper.safe).toBe(true));
  }
  await until(() => expect(keeper.safe).toBe(true));
  const records = await kept();
  expect(records.length).toBeLessThanOrEqual(257);
  expect([changesIn(records), texts(records)]).toEqual([600, "x".repeat(600)]);
});

test("what is refused stays, with the reason, also what is typed afterwards", async () => {
  keeper.belongs(OWNER);
  type("refused ");
  await until(() => expect(keeper.safe).toBe(true));
  await keeper.hold("equivocation");
  type("after");
  await until(() => expect(keeper.safe).toBe(true));
  expect((await kept()).map(({ held }) => held)).toEqual(["equivocation", "equivocation"]);
});

test("what is refused while it is being written is held back too, and who reloads then waits for it", async () => {
  keeper.belongs(OWNER);
  const writing = firstAdd();
  type("refused");
  await writing;
  await keeper.hold("grown");
  expect(keeper.safe).toBe(true);
  expect((await kept()).map(({ held }) => held)).toEqual(["grown"]);
});

test("what is refused before it is written goes to the disk at once", async () => {
  document = new Y.Doc();
  const quiet = page(false);
  quiet.belongs(OWNER);
  type("refused");
  expect(quiet.safe).toBe(false);
  await quiet.hold("grown");
  expect(quiet.safe).toBe(true);
  expect((await kept()).map(({ held }) => held)).toEqual(["grown"]);
});

test("a reason that could not be written is written as soon as that is possible", async () => {
  keeper.belongs(OWNER);
  type("refused");
  await keeper.settle();
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementationOnce(() => {
    throw new Error("no room");
  });
  await keeper.hold("grown");
  expect(keeper.tally).toEqual({ made: 1, kept: 1, broken: true });
  expect((await kept()).map(({ held }) => held)).toEqual([""]);
  await keeper.settle();
  expect(keeper.tally).toEqual({ made: 1, kept: 1, broken: false });
  expect((await kept()).map(({ held }) => held)).toEqual(["grown"]);
});

test("nobody waits long for a storage that does not open", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  document = new Y.Doc();
  const stuck = page(true, () => new Promise<Keep>(() => undefined));
  stuck.belongs(OWNER);
  type("here only");
  const settled = stuck.settle();
  await vi.advanceTimersByTimeAsync(2000);
  vi.useRealTimers();
  await settled;
  expect(stuck.safe).toBe(false);
});

test("words of an earlier page are dropped when this page's are stored, and count as kept meanwhile", async () => {
  const keep = await open();
  await keep.add(pending({ changes: 3 }));
  keeper.belongs(OWNER);
  keeper.adopt(await kept());
  expect(keeper.tally).toEqual({ made: 3, kept: 3, broken: false });
  keeper.stored();
  await until(async () => expect(await kept()).toEqual([]));
});

test("a copy without records of its page is not kept: another tab has brought them home", async () => {
  const keep = await Keep.open();
  await keep.keepSnapshot({ ...OWNER, client: 77, update: new Uint8Array() });
  expect((await keep.snapshots(OWNER.person, OWNER.document)).map(({ client }) => client)).not.toContain(77);
  keep.close();
});
