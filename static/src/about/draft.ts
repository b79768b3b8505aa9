/** What somebody is about to say about a document, while others may say something else. */

import { MOST, type About } from "./metadata.ts";

/** The same for tags that differ only in case. */
const folded = (tag: string): string => tag.normalize("NFC").toLocaleLowerCase();

/** Tags in what somebody typed: commas and line ends divide them. */
export function typed(text: string): string[] {
  const found = text.split(/[,\n]/).map((each) => each.normalize("NFC").trim().replace(/\s+/g, " "));
  return found.filter((each) => each !== "").map((each) => [...each].slice(0, MOST.tag).join(""));
}

export class Draft {
  tags: readonly string[];
  description: string;

  constructor(private base: About) {
    this.tags = base.tags;
    this.description = base.description;
  }

  /** Whether there is anything to save. */
  get changed(): boolean {
    return !same(this.tags, this.base.tags) || this.description !== this.base.description;
  }

  /** Add tags; false when there would be too many. */
  add(tags: readonly string[]): boolean {
    const known = new Set(this.tags.map(folded));
    const fresh = tags.filter((tag) => !known.has(folded(tag)) && known.add(folded(tag)));
    if (this.tags.length + fresh.length > MOST.tags) return false;
    this.tags = [...this.tags, ...fresh];
    return true;
  }

  remove(tag: string): void {
    this.tags = this.tags.filter((each) => each !== tag);
  }

  /** Somebody else said this meanwhile: what we have not touched follows it. False: they changed the description that we are changing, too. */
  hear(now: About): boolean {
    const clash = this.description !== this.base.description && now.description !== this.base.description && now.description !== this.description;
    this.tags = this.merged(now);
    if (this.description === this.base.description) this.description = now.description;
    this.base = now;
    return !clash;
  }

  /** What is to be said where this is said now; only what we changed. */
  made(now: About): Partial<About> {
    return {
      ...(same(this.tags, this.base.tags) ? {} : { tags: this.merged(now) }),
      ...(this.description === this.base.description ? {} : { description: this.description }),
    };
  }

  /** Their tags, without those that we took away, with those that we added. */
  private merged(now: About): string[] {
    const before = new Set(this.base.tags.map(folded));
    const ours = new Set(this.tags.map(folded));
    const theirs = now.tags.filter((tag) => ours.has(folded(tag)) || !before.has(folded(tag)));
    const there = new Set(theirs.map(folded));
    return [...theirs, ...this.tags.filter((tag) => !before.has(folded(tag)) && !there.has(folded(tag)))];
  }
}

const same = (one: readonly string[], other: readonly string[]): boolean => one.length === other.length && one.every((tag, at) => tag === other[at]);
