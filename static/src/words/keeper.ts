/** Keeps what is typed on this page until the server has stored it. */

import * as Y from "yjs";

import { changesIn, Keep, type Kept } from "./kept.ts";
import { askToLast, whenIdle } from "./lasting.ts";
import type { Tally } from "./words.ts";

/** Whose words these are and what they belong to, as the server says it. */
export interface Owner {
  person: string;
  document: string;
  lineage: string;
  path: string;
}

/** Milliseconds for which words may wait for the server alone: most are stored by then, and the disk is spared. */
const GRACE = 100;
/** Milliseconds after which a whole copy is kept too. */
const COPY = 2000;
/** Milliseconds after which the browser is asked not to clear what is kept. */
const LASTING = 10_000;
/** Milliseconds before a storage that failed is tried again. */
const AGAIN = 5000;
/** Milliseconds for which somebody waits for the disk who can go on without it. */
const PATIENCE = 2000;
/** Records, or updates in memory, that are merged into one. */
const MANY = 256;

type Timer = ReturnType<typeof setTimeout>;

/** Edits in one update. */
interface Edits {
  update: Uint8Array;
  changes: number;
}

export class Keeper {
  private owner: Owner | null = null;
  private keep: Promise<Keep> | null = null;
  /** Everything that is not stored, also what came back from earlier pages. */
  private updates: Uint8Array[] = [];
  /** What no transaction has taken yet. */
  private waiting: Edits[] = [];
  private keys: number[] = [];
  private adopted: number[] = [];
  /** Stored, and still to be dropped. */
  private obsolete: number[] = [];
  /** What does not say on the disk yet why it is held back, or that it is not. */
  private unmarked: number[] = [];
  private made = 0;
  private kept = 0;
  private broken = false;
  /** Counts the moments at which everything was stored. */
  private stage = 0;
  /** Counts the storages that were taken away: what was done in a former one is not done in this one. */
  private losses = 0;
  /** Transactions, one at a time; what comes meanwhile goes together into the next. */
  private writing: Promise<void> | null = null;
  private grace: Timer | undefined;
  private timers: Timer[] = [];
  private reason = "";

  /** `hurried`: nothing will be stored soon; `open` gives the storage. */
  constructor(
    private readonly document: Y.Doc,
    private readonly hurried: () => boolean,
    private readonly changed: () => void,
    private readonly open: (lost: () => void) => Promise<Keep> = (lost) => Keep.open(lost),
  ) {}

  get tally(): Readonly<Tally> {
    return { made: this.made, kept: this.kept, broken: this.broken };
  }

  /** Whether the page may be closed without losing a word. */
  get safe(): boolean {
    return this.kept >= this.made;
  }

  /** All that is not stored. */
  get unsent(): readonly Uint8Array[] {
    return this.updates;
  }

  /** Where to find what earlier pages kept. */
  storage(): Promise<Keep> {
    this.keep ??= this.open(() => this.lost());
    return this.keep;
  }

  /** From now on it is known whose words these are. */
  belongs(owner: Owner): void {
    this.owner = owner;
    this.hurry();
  }

  /** An edit was made here. */
  add(update: Uint8Array): void {
    if (this.made === 0) this.watch();
    this.made += 1;
    this.updates.push(update);
    if (this.updates.length > MANY) this.updates = [Y.mergeUpdates(this.updates)];
    this.waiting.push({ update, changes: 1 });
    if (this.hurried()) return void this.write();
    this.grace ??= setTimeout(() => void this.write(), GRACE);
  }

  /** Words of earlier pages were added to this one's: they are dropped together. */
  adopt(records: readonly Kept[]): void {
    if (this.made === 0) this.watch();
    this.updates.push(...records.map(({ update }) => update));
    this.adopted.push(...records.map(({ key }) => key));
    this.made += changesIn(records);
    this.kept += changesIn(records);
    this.changed();
  }

  /** The server has stored everything until now. */
  stored(): void {
    this.stage += 1;
    this.obsolete.push(...this.keys, ...this.adopted);
    this.forget();
    this.hurry();
  }

  /** Everything until now is in the document by another way. */
  async release(): Promise<void> {
    const gone = [...this.keys, ...this.adopted];
    this.stage += 1;
    this.forget();
    await this.storage().then((keep) => keep.remove(gone.map((key) => ({ key }))));
  }

  /** What waits is not to be sent again unasked: the server refused it. What is being written just now neither. Resolved as `settle`. */
  hold(reason: string): Promise<void> {
    this.reason = reason;
    this.unmarked = [...this.keys, ...this.adopted];
    return this.settle();
  }

  /** The page may be gone in a moment: let nothing wait. */
  hurry(): void {
    void this.write();
  }

  /** Resolved when everything is on this device, or can't be just now: nobody waits long. */
  async settle(): Promise<void> {
    let patience: Timer | undefined;
    await Promise.race([this.write(), new Promise<void>((done) => (patience = setTimeout(done, PATIENCE)))]);
    clearTimeout(patience);
  }

  private forget(): void {
    for (const timer of [...this.timers, this.grace]) clearTimeout(timer);
    this.grace = undefined;
    this.timers = [];
    this.updates = [];
    this.waiting = [];
    this.keys = [];
    this.adopted = [];
    this.unmarked = [];
    this.made = 0;
    this.kept = 0;
    this.reason = "";
  }

  private watch(): void {
    this.timers = [setTimeout(() => whenIdle(() => void this.copy()), COPY), setTimeout(() => void askToLast(), LASTING)];
  }

  private get due(): boolean {
    const some = [this.waiting, this.unmarked, this.obsolete].some(({ length }) => length > 0);
    return this.owner !== null && (some || this.keys.length > MANY);
  }

  private write(): Promise<void> {
    clearTimeout(this.grace);
    this.grace = undefined;
    if (this.writing === null && this.due) this.writing = this.work();
    return this.writing ?? Promise.resolve();
  }

  private async work(): Promise<void> {
    const { losses } = this;
    try {
      while (this.due) await this.step(await this.storage());
      this.broken = false;
    } catch {
      if (losses === this.losses) this.failed();
    }
    this.writing = null;
    this.changed();
    if (losses !== this.losses) await this.write();
  }

  private async step(keep: Keep): Promise<void> {
    if (this.waiting.length > 0 && this.owner !== null) await this.put(keep, this.owner);
    else if (this.unmarked.length > 0) await this.mark(keep);
    else if (this.obsolete.length > 0) await this.drop(keep);
    else if (this.keys.length > MANY) await this.gather(keep);
  }

  private async mark(keep: Keep): Promise<void> {
    const { unmarked: keys, reason, losses } = this;
    await keep.hold(keys, reason);
    if (losses === this.losses && reason === this.reason) this.unmarked = this.unmarked.filter((key) => !keys.includes(key));
  }

  private async drop(keep: Keep): Promise<void> {
    const { obsolete: gone, losses } = this;
    await keep.remove(gone.map((key) => ({ key })));
    if (losses === this.losses) this.obsolete = this.obsolete.filter((key) => !gone.includes(key));
  }

  private async put(keep: Keep, owner: Owner): Promise<void> {
    const { stage, losses, reason, waiting } = this;
    const changes = changesIn(waiting);
    this.waiting = [];
    try {
      const key = await keep.add({ ...owner, client: this.document.clientID, update: merged(waiting), changes, at: Date.now(), held: reason });
      if (losses !== this.losses) return;
      if (stage !== this.stage) return void this.obsolete.push(key);
      this.keys.push(key);
      if (reason !== this.reason) this.unmarked.push(key);
      this.kept += changes;
    } catch (error) {
      if (stage === this.stage && losses === this.losses) this.waiting = [...waiting, ...this.waiting];
      throw error;
    }
    this.changed();
  }

  private async gather(keep: Keep): Promise<void> {
    const { keys, stage, losses, reason } = this;
    const key = await keep.merge(keys);
    if (losses !== this.losses) return;
    if (stage !== this.stage) return void this.obsolete.push(key);
    this.keys = [...this.keys.filter((each) => !keys.includes(each)), key];
    if (reason !== this.reason) this.unmarked.push(key);
  }

  private failed(): void {
    this.broken = true;
    this.keep = null;
    setTimeout(() => this.hurry(), AGAIN);
  }

  /** Somebody cleared the storage: everything that is not stored has to go into it again. */
  private lost(): void {
    this.losses += 1;
    this.keep = null;
    this.keys = [];
    this.adopted = [];
    this.obsolete = [];
    this.unmarked = [];
    this.kept = 0;
    this.waiting = this.updates.length === 0 ? [] : [{ update: Y.mergeUpdates(this.updates), changes: this.made }];
    this.changed();
    this.hurry();
  }

  private async copy(): Promise<void> {
    const { owner, stage, document } = this;
    if (owner === null || this.made === 0) return;
    const update = Y.encodeStateAsUpdate(document);
    try {
      const keep = await this.storage();
      // Stored meanwhile: there is no record any more with which the copy would go.
      if (stage !== this.stage || this.keys.length === 0) return;
      await keep.keepSnapshot({ person: owner.person, document: owner.document, lineage: owner.lineage, client: document.clientID, update });
    } catch {
      // A full disk: the words themselves come first.
    }
  }
}

function merged(edits: readonly Edits[]): Uint8Array {
  const [first] = edits;
  return edits.length === 1 && first !== undefined ? first.update : Y.mergeUpdates(edits.map(({ update }) => update));
}
