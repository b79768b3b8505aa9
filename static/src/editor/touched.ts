/** Which lines a change concerns. */

import type { ChangeSet, Text } from "@codemirror/state";

/** The lines that a change touched, before and after it. */
export function touched(before: Text, after: Text, changes: ChangeSet): { gone: string[]; come: string[] } {
  const gone: string[] = [];
  const come: string[] = [];
  let span: { fromA: number; toA: number; fromB: number; toB: number } | null = null;
  const close = (): void => {
    if (span === null) return;
    gone.push(before.sliceString(span.fromA, span.toA));
    come.push(after.sliceString(span.fromB, span.toB));
  };
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    const [startA, endA] = [before.lineAt(fromA).from, before.lineAt(toA).to];
    const [startB, endB] = [after.lineAt(fromB).from, after.lineAt(toB).to];
    // Two changes in one line are one: no line may be told twice.
    if (span !== null && (startA <= span.toA || startB <= span.toB)) span = { ...span, toA: Math.max(endA, span.toA), toB: Math.max(endB, span.toB) };
    else {
      close();
      span = { fromA: startA, toA: endA, fromB: startB, toB: endB };
    }
  });
  close();
  return { gone, come };
}
