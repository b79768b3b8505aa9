/** What page and worker say to each other. */

export type Order =
  | { kind: "text"; version: number; mark: string; text: string }
  /** A ChangeSet of CodeMirror as JSON. */
  | { kind: "changes"; version: number; changes: unknown };

/** What the page shows from `from` on: instead of `removed` blocks now these. */
export interface Patch {
  /** Of the text that is shown then. */
  version: number;
  from: number;
  removed: number;
  html: string[];
  /** First line and line after the end of every block, counted from 0. */
  lines: Int32Array<ArrayBuffer>;
}

/** The smallest run of blocks that makes the new ones of the old. */
export function difference(before: readonly string[], after: readonly string[]): Pick<Patch, "from" | "removed" | "html"> {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from += 1;
  let same = 0;
  while (same < most - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same += 1;
  return { from, removed: before.length - from - same, html: after.slice(from, after.length - same) };
}
