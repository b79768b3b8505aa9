/** Which slide one looks at when the slides have changed. */

/** The index of the slide that stood at `at`: slides are the same when they read the same, and else by where they stand between those that do. */
export function relocated(before: readonly string[], after: readonly string[], at: number): number {
  if (after.length === 0) return 0;
  const shortest = Math.min(before.length, after.length);
  let head = 0;
  while (head < shortest && before[head] === after[head]) head += 1;
  if (at < head) return at;
  let tail = 0;
  while (tail < shortest - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  if (at >= before.length - tail) return at + after.length - before.length;
  const moved = nearest(after, before[at] ?? "", at);
  return moved >= 0 ? moved : Math.max(0, Math.min(beside(before, after, at), after.length - 1));
}

/** Where it must be by the nearest slide before it that is still there. */
function beside(before: readonly string[], after: readonly string[], at: number): number {
  for (let index = at - 1; index >= 0; index -= 1) {
    const found = nearest(after, before[index] ?? "", index);
    if (found >= 0) return found + at - index;
  }
  return at;
}

/** The index of this slide that is nearest to `at`, -1 when there is none. */
export function nearest(slides: readonly string[], wanted: string, at: number): number {
  const found = slides.flatMap((slide, index) => (slide === wanted ? [index] : []));
  return found.reduce((best, index) => (best < 0 || Math.abs(index - at) < Math.abs(best - at) ? index : best), -1);
}
