/** Which rows are chosen: one by one, or everything from an anchor to here. */

export class Selection {
  private chosen = new Set<string>();
  private anchor: string | null = null;

  get size(): number {
    return this.chosen.size;
  }

  has(key: string): boolean {
    return this.chosen.has(key);
  }

  /** The chosen keys in the order of the list. */
  in(order: readonly string[]): string[] {
    return order.filter((key) => this.chosen.has(key));
  }

  toggle(key: string): void {
    if (!this.chosen.delete(key)) this.chosen.add(key);
    this.anchor = key;
  }

  /** From the last toggled row to this one, and nothing else; `from` is where it begins when nothing was toggled yet. */
  extend(order: readonly string[], to: string, from: string): void {
    const anchor = this.anchor !== null && order.includes(this.anchor) ? this.anchor : from;
    const ends = [order.indexOf(anchor), order.indexOf(to)].sort((a, b) => a - b);
    this.chosen = new Set(order.slice(Math.max(0, ends[0] ?? 0), (ends[1] ?? 0) + 1));
    this.anchor = anchor;
  }

  all(order: readonly string[]): void {
    this.chosen = new Set(order);
  }

  clear(): void {
    this.chosen.clear();
    this.anchor = null;
  }

  /** Forget what is not in the list any more. */
  prune(order: readonly string[]): void {
    const there = new Set(order);
    for (const key of this.chosen) if (!there.has(key)) this.chosen.delete(key);
    if (this.anchor !== null && !there.has(this.anchor)) this.anchor = null;
  }
}
