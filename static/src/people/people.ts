/** Who is here, from awareness states: JSON of other clients, so that nothing in it is believed unseen. */

export interface Person {
  id: string;
  name: string;
  /** `#rrggbb` */
  color: string;
}

/** Somebody as one awareness state has them. */
export interface Present extends Person {
  /** The office suite that they write in; empty for a page, or another client. Only the server says this of anybody. */
  suite: string;
}

const FALLBACK_COLOR = "#64748b";
/** Characters. */
const LONGEST_NAME = 60;
const LONGEST_ID = 200;
/** Control characters, and those that turn the direction of what follows. */
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** The person of one awareness state; null when it names nobody. */
export function personIn(state: unknown): Present | null {
  const user = field(state, "user");
  const name = nameIn(field(user, "name"));
  if (name === "") return null;
  const id = field(user, "id");
  const color = field(user, "color");
  return {
    id: typeof id === "string" && id !== "" ? id.slice(0, LONGEST_ID) : `name:${name}`,
    name,
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color.toLowerCase() : FALLBACK_COLOR,
    suite: nameIn(field(user, "suite")),
  };
}

function nameIn(said: unknown): string {
  if (typeof said !== "string") return "";
  // Before it is split into characters: what is said may be long.
  const words = said.slice(0, 4 * LONGEST_NAME).replace(UNSEEN, " ").trim();
  return Array.from(words).slice(0, LONGEST_NAME).join("");
}

/** One or two letters for a small picture of a person. */
export function initials(name: string): string {
  const parts = name.split(/\s+/u).filter((part) => part !== "");
  const letters = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : [parts[0]];
  return letters.map((part) => firstLetter(part ?? "")).join("").toLocaleUpperCase();
}

function firstLetter(part: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(part);
  return first?.segment ?? "";
}

/** A field of what somebody else said, whatever it is; undefined when there is none. */
export function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
