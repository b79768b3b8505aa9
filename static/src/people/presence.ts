/** Who is here and what they do, from their awareness states; the time is an argument, in milliseconds. */

import { Palette } from "./colors.ts";
import { field, personIn, type Person, type Present } from "./people.ts";

/** Milliseconds without a further key after which somebody is not typing any more. */
export const QUIET = 3000;
/** Milliseconds without any sign after which somebody is taken to be elsewhere. */
export const IDLE = 120_000;

/** `suite`: they have it open in an office suite, and in no page. */
export type Doing = "typing" | "there" | "reading" | "idle" | "suite";

/** One person, however many pages they have open. */
export interface Somebody extends Person {
  mine: boolean;
  /** The page (awareness client) whose caret is shown. */
  client: number;
  doing: Doing;
  /** The office suites in which they have it open, in words; empty: in none. */
  suite: string;
}

interface Page {
  person: Present;
  /** It has a caret in the text. */
  caret: boolean;
  typed: unknown;
  /** Null for clients that do not tell. */
  idle: boolean | null;
  typedAt: number;
  activeAt: number;
}

const byName = new Intl.Collator();

export class Presence {
  private readonly pages = new Map<number, Page>();
  private readonly palette = new Palette();

  constructor(private readonly self: number) {}

  /** Look at the clients whose states have changed. */
  take(states: ReadonlyMap<number, unknown>, changed: Iterable<number>, now: number): void {
    for (const client of changed) {
      const state = states.get(client);
      const person = personIn(state);
      if (person === null) this.pages.delete(client);
      else this.pages.set(client, page(person, state, this.pages.get(client), now));
    }
  }

  /** Everybody once: myself first, the others by name. */
  everybody(now: number): Somebody[] {
    const me = this.pages.get(this.self)?.person.id;
    const people = new Map<string, number[]>();
    for (const [client, { person }] of this.pages) people.set(person.id, [...(people.get(person.id) ?? []), client]);
    this.palette.keep(new Set(people.keys()));
    const all = [...people.entries()].map(([id, clients]) => this.somebody(clients, id === me, now));
    return all.filter((each) => each !== null).sort((one, other) => Number(other.mine) - Number(one.mine) || byName.compare(one.name, other.name));
  }

  /** When somebody will do something else without a word of theirs: Infinity for never. */
  next(now: number): number {
    const times = [...this.pages.values()].flatMap(({ typedAt, activeAt, idle }) => [typedAt + QUIET, idle === null ? activeAt + IDLE : 0]);
    return Math.min(...times.filter((time) => time > now), Infinity);
  }

  private somebody(clients: readonly number[], mine: boolean, now: number): Somebody | null {
    const client = mine ? this.self : this.foremost(clients);
    const found = this.pages.get(client);
    if (found === undefined) return null;
    const { id, name, color } = found.person;
    const all = clients.map((each) => this.pages.get(each)).filter((each) => each !== undefined);
    const pages = all.filter(({ person }) => person.suite === "");
    const suites = new Set(all.map(({ person }) => person.suite).filter((each) => each !== ""));
    const suite = [...suites].sort(byName.compare).join(", ");
    return { id, name, color: this.palette.color(id, color), mine, client, doing: doing(pages, suite !== "", now), suite };
  }

  /** The page that was active last, of those with a caret when there are any; what is in a suite comes last. */
  private foremost(clients: readonly number[]): number {
    const rank = (client: number): number => {
      const found = this.pages.get(client);
      return found === undefined || found.person.suite !== "" ? -1 : found.activeAt + (found.caret ? Number.MAX_SAFE_INTEGER / 2 : 0);
    };
    return clients.reduce((best, client) => (rank(client) >= rank(best) ? client : best));
  }
}

function page(person: Present, state: unknown, former: Page | undefined, now: number): Page {
  const caret = field(state, "cursor") !== undefined && field(state, "cursor") !== null;
  const typed = field(state, "typed");
  const told = field(state, "idle");
  const idle = typeof told === "boolean" ? told : null;
  const types = former !== undefined && typeof typed === "number" && typed !== (former.typed ?? 0);
  // To say that one is idle is no sign of activity.
  const rests = idle === true && former?.idle !== true;
  return {
    person,
    caret,
    typed,
    idle,
    typedAt: types ? now : (former?.typedAt ?? -Infinity),
    activeAt: rests ? (former?.activeAt ?? -Infinity) : now,
  };
}

function doing(pages: readonly Page[], suite: boolean, now: number): Doing {
  if (pages.length === 0) return "suite";
  if (pages.some(({ typedAt }) => now - typedAt < QUIET)) return "typing";
  // In a suite nobody tells whether they rest.
  if (!suite && pages.every(({ idle, activeAt }) => idle ?? now - activeAt >= IDLE)) return "idle";
  return pages.some(({ caret }) => caret) ? "there" : "reading";
}
