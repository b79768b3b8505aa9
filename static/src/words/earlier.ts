/** Words of earlier pages of this person on this device: looked for once the document is here, and brought back. */

import * as Y from "yjs";

import { session } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { described } from "./bin.ts";
import type { Connection } from "./connection.ts";
import type { Keeper, Owner } from "./keeper.ts";
import { changesIn, type Keep, type Kept } from "./kept.ts";
import { whenIdle } from "./lasting.ts";
import type { Outcomes } from "./outcomes.ts";
import { judge, strand, type Stranded } from "./returned.ts";
import type { Facts } from "./words.ts";

/** Milliseconds after which words that nobody came back for are spoken of anywhere. */
const LONG = 30 * 24 * 60 * 60 * 1000;

type Shared = Y.AbstractType<any>;
/** A place in one of the document's texts. */
export type Place = Pick<Y.AbsolutePosition, "type" | "index">;

export class Earlier {
  private owner: Owner | null = null;
  private looked = false;
  private place: Y.RelativePosition | null = null;
  /** What is being told already. */
  private readonly told = new Set<number>();

  constructor(
    private readonly connection: Connection,
    private readonly keeper: Keeper,
    private readonly outcomes: Outcomes,
  ) {}

  /** It is known whose page this is, and of what. */
  look(owner: Owner, { link }: Readonly<Facts>): void {
    if (JSON.stringify(owner) !== JSON.stringify(this.owner)) {
      this.owner = owner;
      this.keeper.belongs(owner);
    }
    if (this.looked || link !== "open") return;
    this.looked = true;
    void this.bringBack(owner);
  }

  /** The document does not open: what waits for it is told all the same. */
  async without(path: string): Promise<void> {
    const keep = await this.storage();
    const person = (await session().catch(() => null))?.id;
    if (keep === null || person === undefined) return;
    const records = (await keep.ofPerson(person)).filter((record) => record.path === path || record.document === path);
    for (const some of byDocument(records)) await this.strand(keep, some);
  }

  /** Jump to what was added. */
  show(go: (at: Place) => void): void {
    const found = this.place && Y.createAbsolutePositionFromRelativePosition(this.place, this.connection.document);
    if (found) go(found);
  }

  /** The person wants it to be tried again. */
  async release({ records }: Stranded): Promise<void> {
    const keep = await this.storage();
    if (keep === null || this.owner === null) return;
    await keep.hold(records.map(({ key }) => key), "");
    for (const { key } of records) this.told.delete(key);
    await this.bringBack(this.owner);
  }

  async discard({ records }: Stranded): Promise<void> {
    const keep = await this.storage();
    await keep?.remove(records).catch(() => this.outcomes.failed(t("words.discard.failed")));
  }

  private async storage(): Promise<Keep | null> {
    return await this.keeper.storage().catch(() => null);
  }

  private async bringBack({ person, document, path }: Owner): Promise<void> {
    const keep = await this.storage();
    if (keep === null) return;
    const mine = (record: Kept): boolean => record.client === this.connection.document.clientID || this.told.has(record.key);
    const records = (await keep.of(person, document)).filter((record) => !mine(record));
    if (records.length > 0) await this.decide(keep, records);
    const others = (await keep.ofPerson(person)).filter((record) => record.document !== document && !mine(record));
    for (const some of byDocument(others.filter((record) => record.path === path))) await this.strayed(keep, some);
    whenIdle(() => void this.recall(keep, others));
  }

  private async decide(keep: Keep, records: readonly Kept[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return;
    const snapshots = await keep.snapshots(first.person, first.document);
    const { document, lineage, facts } = this.connection;
    const { fits, updates, stranded } = judge(records, snapshots, { document, lineage, readOnly: facts.readOnly });
    if (fits.length > 0) this.add(fits, updates);
    for (const each of stranded) this.tell(each);
  }

  private add(fits: readonly Kept[], updates: readonly Uint8Array[]): void {
    const { text, document } = this.connection;
    const before = this.connection.facts.edits;
    const note = (event: Y.YTextEvent): void => this.noted(event);
    const notes = (events: readonly Y.YEvent<Shared>[]): void => events.forEach((event) => event instanceof Y.YTextEvent && this.noted(event));
    const cells = document.getArray("cells");
    this.place = null;
    text.observe(note);
    cells.observeDeep(notes);
    this.keeper.adopt(fits);
    this.connection.bring(updates.length === 1 && updates[0] !== undefined ? updates[0] : Y.mergeUpdates([...updates]));
    text.unobserve(note);
    cells.unobserveDeep(notes);
    // What the server had already is nothing new to anybody.
    if (this.connection.facts.edits > before) this.outcomes.returned(changesIn(fits), Math.min(...fits.map(({ at }) => at)));
  }

  private noted({ delta, target }: Y.YTextEvent): void {
    const at = delta[0]?.retain ?? 0;
    if (target instanceof Y.Text) this.place = Y.createRelativePositionFromTypeIndex(target, at);
  }

  /** Of a document that was here under another id: when that one is nowhere any more, this is the place to say so. */
  private async strayed(keep: Keep, records: readonly Kept[]): Promise<void> {
    if ((await described(records[0]?.document ?? "")) === null) await this.strand(keep, records);
  }

  private async strand(keep: Keep, records: readonly Kept[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return;
    const snapshots = await keep.snapshots(first.person, first.document);
    this.tell(strand("gone", records, snapshots, null));
  }

  private async recall(keep: Keep, others: readonly Kept[]): Promise<void> {
    const old = others.filter((record) => Date.now() - record.at > LONG && !this.told.has(record.key));
    for (const some of byDocument(old)) {
      const [first] = some;
      if (first === undefined) continue;
      const snapshots = await keep.snapshots(first.person, first.document);
      this.outcomes.old(strand("gone", some, snapshots, null), first.path);
    }
  }

  private tell(stranded: Stranded): void {
    for (const { key } of stranded.records) this.told.add(key);
    this.outcomes.stranded(stranded);
  }
}

function byDocument(records: readonly Kept[]): Kept[][] {
  const found = new Map<string, Kept[]>();
  for (const record of records) found.set(record.document, [...(found.get(record.document) ?? []), record]);
  return [...found.values()];
}
