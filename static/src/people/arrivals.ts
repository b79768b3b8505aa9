/** Who came and who left, gathered to few words; the time is an argument, in milliseconds. */

/** Who is here when the page opens, or comes back to the server, did not come. */
const SETTLING = 3000;
/** Several who come at once are said at once. */
const GATHER = 2000;
/** Who is back by then had only lost the connection. */
export const RETURN = 10_000;

export interface News {
  came: readonly string[];
  left: readonly string[];
}

type People = ReadonlyMap<string, string>;

export class Arrivals {
  /** Ids and names of those who are here as far as was said. */
  private known = new Map<string, string>();
  private readonly leaving = new Map<string, number>();
  private came: string[] = [];
  private left: string[] = [];
  /** When the next words are due. */
  private sayAt = Infinity;
  private settledAt: number | null = null;
  /** From now on who comes and goes is told. */
  settled = false;

  /** Look at who is here now (names by id, without myself); gives what is to be said. */
  look(here: People, connected: boolean, now: number): News | null {
    // Without the server nobody is seen, which says nothing about them.
    if (!connected) this.settledAt = null;
    else this.settledAt ??= now + SETTLING;
    this.settled = this.settledAt !== null && now >= this.settledAt;
    if (!this.settled) return this.settle(here, connected);
    for (const [id, name] of here) this.meet(id, name, now);
    for (const id of this.known.keys()) if (!here.has(id) && !this.leaving.has(id)) this.leaving.set(id, now);
    for (const [id, since] of this.leaving) if (now >= since + RETURN) this.miss(id, now);
    return now >= this.sayAt ? this.say() : null;
  }

  /** When to look again though nothing changes: Infinity for never. */
  get next(): number {
    const settledAt = this.settled ? Infinity : (this.settledAt ?? Infinity);
    return Math.min(this.sayAt, settledAt, ...[...this.leaving.values()].map((since) => since + RETURN));
  }

  private settle(here: People, connected: boolean): null {
    if (connected) this.known = new Map(here);
    this.leaving.clear();
    this.say();
    return null;
  }

  private meet(id: string, name: string, now: number): void {
    this.leaving.delete(id);
    if (!this.known.has(id)) {
      this.came.push(name);
      this.sayAt = Math.min(this.sayAt, now + GATHER);
    }
    this.known.set(id, name);
  }

  private miss(id: string, now: number): void {
    this.left.push(this.known.get(id) ?? "");
    this.leaving.delete(id);
    this.known.delete(id);
    this.sayAt = Math.min(this.sayAt, now + GATHER);
  }

  private say(): News {
    const news = { came: this.came, left: this.left };
    this.came = [];
    this.left = [];
    this.sayAt = Infinity;
    return news;
  }
}
