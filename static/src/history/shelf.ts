/** The versions that this page knows of: the newest first, then the older ones bit by bit, and new ones as they come. */

import { joined, type Version } from "./sittings.ts";
import { MOST, page } from "./versions.ts";

/** So many come first, so that there is something to see. */
const FIRST = 100;
/** So many are looked at for news. */
const NEWS = 50;
/** Beyond so many one asks for more by hand. */
const ENOUGH = 5000;

export class Shelf {
  /** Oldest first. */
  versions: readonly Version[] = [];
  /** There are older ones that we do not know. */
  more = false;
  /** Older ones are on their way. */
  reading = false;

  constructor(
    readonly document: string,
    private readonly changed: () => void,
  ) {}

  get newest(): Version | undefined {
    return this.versions.at(-1);
  }

  find(number: number): Version | undefined {
    return this.versions.find((version) => version.number === number);
  }

  /** The newest ones. Raises `Problem`. */
  async begin(): Promise<void> {
    const { versions, more } = await page(this.document, FIRST);
    this.more = more;
    this.take(versions);
  }

  /** Older ones, until there are many. Raises `Problem`. */
  async older(most = ENOUGH): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      for (const enough = this.versions.length + most; this.more && this.versions.length < enough; ) {
        const { versions, more } = await page(this.document, MOST, this.versions[0]?.number ?? 0);
        this.more = more;
        this.take(versions);
      }
    } finally {
      this.reading = false;
      this.changed();
    }
  }

  /** What came since we looked last. Raises `Problem`. */
  async look(): Promise<void> {
    const known = this.newest?.number ?? 0;
    let found = await page(this.document, NEWS);
    const news = [...found.versions];
    while (found.more && (news.at(-1)?.number ?? 0) > known) {
      found = await page(this.document, MOST, news.at(-1)?.number ?? 0);
      news.push(...found.versions);
    }
    this.take(news);
  }

  /** A version that the server keeps no more. */
  drop(number: number): void {
    this.versions = this.versions.filter((version) => version.number !== number);
    this.changed();
  }

  take(told: readonly Version[]): void {
    const before = this.versions;
    const now = joined(before, told);
    if (now.length === before.length && now.every((version, at) => same(version, before[at]))) return;
    this.versions = now;
    this.changed();
  }
}

const same = (one: Version, other: Version | undefined): boolean => one.number === other?.number && one.name === other.name && one.etag === other.etag;
