/** The lines of all blocks: pairs of the first and the one after the end, counted from 0. */
export class Lines {
  constructor(private readonly pairs: Int32Array) {}

  /** How many blocks there are. */
  get length(): number {
    return this.pairs.length / 2;
  }

  of(index: number): { first: number; end: number } {
    return { first: this.pairs[2 * index] ?? 0, end: this.pairs[2 * index + 1] ?? 0 };
  }

  /** The last block that begins at this line or before; -1 before the first. */
  blockAt(line: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.pairs[2 * middle] ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
