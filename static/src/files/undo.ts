/** What can be taken back, the last first. */

export interface Deed {
  /** Resolved when everything is as before. */
  undo: () => Promise<void>;
}

/** How many deeds are remembered. */
const DEPTH = 20;

export class Deeds {
  private readonly done: Deed[] = [];

  push(deed: Deed): void {
    this.done.push(deed);
    if (this.done.length > DEPTH) this.done.shift();
  }

  /** Take this deed back, or the last one; false when there is none. A deed is taken back once. */
  async undo(deed = this.done.at(-1)): Promise<boolean> {
    const at = deed === undefined ? -1 : this.done.indexOf(deed);
    if (deed === undefined || at < 0) return false;
    this.done.splice(at, 1);
    await deed.undo();
    return true;
  }
}
