/** Who is here, from awareness states: JSON of other clients, so that nothing in it is believed unseen. */

export interface Person {
  id: string;
  name: string;
  /** `#rrggbb` */
  color: string;
}

const FALLBACK_COLOR = "#64748b";
const LONGEST_NAME = 60;

/** The person of one awareness state; null when it names nobody. */
export function personIn(state: unknown): Person | null {
  const user = field(state, "user");
  const name = field(user, "name");
  if (typeof name !== "string" || name.trim() === "") return null;
  const id = field(user, "id");
  const color = field(user, "color");
  return {
    id: typeof id === "string" && id !== "" ? id : `name:${name}`,
    name: Array.from(name.trim()).slice(0, LONGEST_NAME).join(""),
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color : FALLBACK_COLOR,
  };
}

/** Everybody once, however many pages they have open: myself first, the others by name. */
export function present(states: ReadonlyMap<number, unknown>, self: number): Person[] {
  const people = new Map<string, Person>();
  const me = personIn(states.get(self));
  if (me !== null) people.set(me.id, me);
  const others = [...states.entries()].filter(([client]) => client !== self).map(([, state]) => personIn(state));
  others.sort((a, b) => (a?.name ?? "").localeCompare(b?.name ?? ""));
  for (const person of others) if (person !== null && !people.has(person.id)) people.set(person.id, person);
  return [...people.values()];
}

/** One or two letters for a small picture of a person. */
export function initials(name: string): string {
  const parts = name.split(/\s+/u).filter((part) => part !== "");
  const letters = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : [parts[0]];
  return letters.map((part) => firstLetter(part ?? "")).join("").toLocaleUpperCase();
}

/** Black or white, whichever is easier to read on the colour (WCAG 2.2, relative luminance). */
export function inkOn(color: string): "#000000" | "#ffffff" {
  const channel = (start: number): number => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.179 ? "#000000" : "#ffffff";
}

function firstLetter(part: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(part);
  return first?.segment ?? "";
}

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
