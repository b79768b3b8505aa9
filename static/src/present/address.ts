/** Where one is in a presentation, in the address: `#3` is the third slide. */

/** The index that the fragment of an address names, null when it names none. */
export function placeIn(hash: string): number | null {
  const number = /^#(\d{1,6})$/.exec(hash)?.[1];
  return number === undefined ? null : Math.max(0, Number(number) - 1);
}

export const hashOf = (at: number): string => `#${at + 1}`;
