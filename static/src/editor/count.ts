/** Words and characters as people count them: words of any script, characters with all their marks, no line breaks. */

export interface Count {
  words: number;
  characters: number;
}

const words = new Intl.Segmenter(undefined, { granularity: "word" });
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Units of UTF-16 that are looked at in one go: the segmenter slows down with the length of its text. */
const STRETCH = 4096;

export function counted(text: string): Count {
  const count = { words: 0, characters: 0 };
  for (const line of text.split("\n")) for (const stretch of stretches(line)) add(count, stretch);
  return count;
}

function add(count: Count, text: string): void {
  for (const { isWordLike } of words.segment(text)) if (isWordLike) count.words += 1;
  // Letters of ASCII stand alone.
  if (/^[\x20-\x7e]*$/.test(text)) count.characters += text.length;
  else for (const _ of graphemes.segment(text)) count.characters += 1;
}

/** A line in parts that end at spaces, so that no word is torn; a word beyond all measure is. */
function* stretches(line: string): Generator<string> {
  for (let from = 0; from < line.length; ) {
    const space = line.length - from <= STRETCH ? -1 : line.lastIndexOf(" ", from + STRETCH);
    const to = line.length - from <= STRETCH ? line.length : space > from ? space : from + STRETCH;
    yield line.slice(from, to);
    from = to;
  }
}

/** Words a minute of somebody who reads quietly. */
const PACE = 220;

/** Whole minutes, at least one when there is a word. */
export const minutes = (words: number): number => (words === 0 ? 0 : Math.max(1, Math.round(words / PACE)));
