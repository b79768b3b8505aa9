/** The document that is presented, as it is at this moment: read, and never written. */

import { lease } from "../base/api.ts";
import { address, version } from "../base/page.ts";
import { Connection } from "../words/connection.ts";
import type { Facts } from "../words/words.ts";

export interface Reader {
  /** The text is another now; the first time with the text as it was found. */
  read(text: string): void;
  /** Whether the text is the server's: else it is as it was last received. */
  linked(linked: boolean): void;
  renamed(path: string): void;
  refused(reason: string): void;
  admitted(): void;
}

/** Milliseconds in which changes are gathered: as long as somebody types, a slide need not be drawn for each letter. */
const GATHER = 120;
/** Characters of a text for which a millisecond more is waited: it takes longer to be cut. */
const SLOW = 2000;
/** Milliseconds after which a lost connection is worth a word. */
const PATIENCE = 1500;

export class Source {
  private readonly connection: Connection;
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private losing: ReturnType<typeof setTimeout> | undefined;
  private opened = false;
  private path: string;

  constructor(
    name: string,
    private readonly reader: Reader,
  ) {
    this.path = name;
    const watcher = {
      changed: (facts: Readonly<Facts>) => this.changed(facts),
      opened: () => this.open(),
      refused: (reason: string) => reader.refused(reason),
      admitted: () => reader.admitted(),
      // Nothing is ever written here.
      made: () => {},
      stored: () => {},
    };
    this.connection = new Connection(address.collaboration(), name, version, watcher, lease?.token);
    addEventListener("online", () => this.connection.hurry());
  }

  get text(): string {
    return this.connection.text.toString();
  }

  retry(): void {
    this.connection.retry();
  }

  private open(): void {
    this.opened = true;
    this.reader.read(this.text);
    this.connection.text.observe(() => {
      this.gathering ??= setTimeout(() => {
        this.gathering = undefined;
        this.reader.read(this.text);
      }, GATHER + this.connection.text.length / SLOW);
    });
  }

  private changed({ link, report }: Readonly<Facts>): void {
    if (report !== null && report.path !== "" && report.path !== this.path) {
      this.path = report.path;
      this.reader.renamed(this.path);
    }
    if (link === "lost" && this.opened) this.losing ??= setTimeout(() => this.reader.linked(false), PATIENCE);
    if (link !== "open" && link !== "ended") return;
    clearTimeout(this.losing);
    this.losing = undefined;
    this.reader.linked(true);
  }
}
