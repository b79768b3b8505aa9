/** Words that the server has not stored yet, on this device: what a closed tab, a crash or an empty battery would take otherwise. */

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import * as Y from "yjs";

import { base } from "../base/page.ts";

/** Some changes that were made on one page and that the server has not stored as far as that page knew. */
export interface Pending {
  /** Of the document: the name that survives renames. */
  document: string;
  person: string;
  /** Of the page that made them (yjs). */
  client: number;
  /** Of the document: updates of one history are never added to another. */
  lineage: string;
  /** Where the document was. */
  path: string;
  update: Uint8Array;
  /** How many edits these are. */
  changes: number;
  /** Milliseconds since the epoch. */
  at: number;
  /** The server refused them for this reason: they are not sent again unasked. */
  held: string;
}

export type Kept = Pending & { key: number };

/** A page's whole document at a time when words had to wait. */
export interface Snapshot {
  document: string;
  person: string;
  client: number;
  lineage: string;
  update: Uint8Array;
}

interface Schema extends DBSchema {
  pending: { key: number; value: Pending; indexes: { whose: [string, string] } };
  snapshots: { key: [string, string, number]; value: Snapshot };
}

type Name = "pending" | "snapshots";
type Work<T> = (transaction: IDBPTransaction<Schema, Name[], "readwrite">) => Promise<T>;

/** Of this origin and path: two servers behind one host keep apart. */
const NAME = `collab${base}`;

/** What is kept for this and that person. Everything may fail with what the browser says: no storage, or no room in it. */
export class Keep {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  /** `lost` is called when the browser took the storage away. */
  static async open(lost: () => void = () => undefined, name = NAME): Promise<Keep> {
    const database = await openDB<Schema>(name, 1, {
      upgrade(made) {
        made.createObjectStore("pending", { autoIncrement: true }).createIndex("whose", ["person", "document"]);
        made.createObjectStore("snapshots", { keyPath: ["person", "document", "client"] });
      },
      blocking: () => {
        // A newer page of ours wants to change the storage, or somebody clears it.
        database.close();
        lost();
      },
      terminated: lost,
    });
    return new Keep(database);
  }

  close(): void {
    this.database.close();
  }

  /** Resolved with the key when the changes are on the disk. */
  add(pending: Pending): Promise<number> {
    return this.write(async (transaction) => await transaction.objectStore("pending").add(pending));
  }

  /** All that this person has to send to this document, in the order in which it was kept. */
  async of(person: string, document: string): Promise<Kept[]> {
    return this.read(IDBKeyRange.only([person, document]));
  }

  /** All that this person has to send. */
  async ofPerson(person: string): Promise<Kept[]> {
    return this.read(IDBKeyRange.bound([person], [person, []]));
  }

  /** They are stored, or given up: drop them, and with the last ones of a page its snapshot. */
  remove(gone: readonly Pick<Kept, "key">[]): Promise<void> {
    return this.write(async (transaction) => {
      const store = transaction.objectStore("pending");
      const owners = new Map<string, Pending>();
      for (const { key } of gone) {
        const former = await store.get(key);
        if (former !== undefined) owners.set(`${former.person} ${former.document} ${former.client}`, former);
        await store.delete(key);
      }
      for (const { person, document, client } of owners.values()) {
        const left = await store.index("whose").getAll([person, document]);
        if (!left.some((each) => each.client === client)) await transaction.objectStore("snapshots").delete([person, document, client]);
      }
    });
  }

  /** One record in place of many of the same page; resolved with its key. */
  merge(keys: readonly number[]): Promise<number> {
    return this.write(async (transaction) => {
      const store = transaction.objectStore("pending");
      const all = (await Promise.all(keys.map((key) => store.get(key)))).filter((each) => each !== undefined);
      const [first] = all;
      if (first === undefined) throw new Error("nothing is kept under these keys");
      await Promise.all(keys.map((key) => store.delete(key)));
      const changes = all.reduce((sum, each) => sum + each.changes, 0);
      return await store.add({ ...first, changes, update: Y.mergeUpdates(all.map(({ update }) => update)) });
    });
  }

  /** Remember why they were refused; "" to send them again. */
  hold(keys: readonly number[], reason: string): Promise<void> {
    return this.write(async (transaction) => {
      const store = transaction.objectStore("pending");
      for (const key of keys) {
        const former = await store.get(key);
        if (former !== undefined) await store.put({ ...former, held: reason }, key);
      }
    });
  }

  /** Keep a whole copy beside the records of this page; nothing when there are none any more: another tab may have brought them home. */
  keepSnapshot(snapshot: Snapshot): Promise<void> {
    return this.write(async (transaction) => {
      const { person, document, client } = snapshot;
      const records = await transaction.objectStore("pending").index("whose").getAll([person, document]);
      if (records.some((each) => each.client === client)) await transaction.objectStore("snapshots").put(snapshot);
    });
  }

  async snapshots(person: string, document: string): Promise<Snapshot[]> {
    return await this.database.getAll("snapshots", IDBKeyRange.bound([person, document], [person, document, []]));
  }

  private async read(range: IDBKeyRange): Promise<Kept[]> {
    const found: Kept[] = [];
    const { store } = this.database.transaction("pending");
    for await (const cursor of store.index("whose").iterate(range)) found.push({ ...cursor.value, key: cursor.primaryKey });
    return found.sort((one, other) => one.key - other.key);
  }

  /** Done when it is on the disk, and not before. */
  private async write<T>(work: Work<T>): Promise<T> {
    const names: Name[] = ["pending", "snapshots"];
    const transaction = this.database.transaction(names, "readwrite", { durability: "strict" });
    const [result] = await Promise.all([work(transaction), transaction.done]);
    return result;
  }
}

export const changesIn = (pending: readonly Pick<Pending, "changes">[]): number => pending.reduce((sum, { changes }) => sum + changes, 0);

/** How many changes of this person wait on this device, in all documents; 0 where nothing can be kept. */
export async function pendingCount(person: string): Promise<number> {
  try {
    const keep = await Keep.open();
    try {
      return changesIn(await keep.ofPerson(person));
    } finally {
      keep.close();
    }
  } catch {
    return 0;
  }
}
