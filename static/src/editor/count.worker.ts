/** Counts beside the page, which stays free for typing: it is told which lines went and which came. */

import { counted, type Count } from "./count.ts";

export interface Question {
  /** Lines that are no more, and lines that are new, joined by line breaks. */
  gone: string[];
  come: string[];
  /** What is selected, null when nothing is. */
  selected: string | null;
}

export interface Answer {
  total: Count;
  selected: Count | null;
}

const total: Count = { words: 0, characters: 0 };

function apply(text: string, sign: 1 | -1): void {
  const { words, characters } = counted(text);
  total.words += sign * words;
  total.characters += sign * characters;
}

addEventListener("message", ({ data: { gone, come, selected } }: MessageEvent<Question>) => {
  for (const text of gone) apply(text, -1);
  for (const text of come) apply(text, 1);
  const answer: Answer = { total: { ...total }, selected: selected === null ? null : counted(selected) };
  postMessage(answer);
});
