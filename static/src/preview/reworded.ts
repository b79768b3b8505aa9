/** The usual key press: of a block's markup only words between two tags are others. Then only these change on the page; nothing is parsed. */

import { nameBoxes } from "./boxes.ts";

/** Within these, words are words: nothing is named after them, and nothing is drawn from them. */
const PLAIN = new Set(["P", "UL", "OL", "LI", "BLOCKQUOTE", "EM", "STRONG", "DEL", "S", "INS", "MARK", "SUB", "SUP", "A", "CODE"]);

/** What is no text in markup, or other text than is written there. */
const MARKUP = /[<>&"\0\r]/;

/** Words between two tags, and what they become: `removed` characters from `at` on become `come`. */
interface Words {
  before: string;
  at: number;
  removed: number;
  come: string;
}

/** Change the words of a block that showed `was` so that it shows `now`; false: there is more to change, and nothing was. */
export function reworded(block: HTMLElement, was: string, now: string): boolean {
  const words = difference(was, now);
  const node = words === null ? null : only(block, words.before);
  if (words === null || node === null || !isPlain(node, block)) return false;
  // What is selected or found in the rest stays so.
  node.replaceData(words.at, words.removed, words.come);
  const item = node.parentElement?.closest<HTMLElement>("li.md-task");
  if (item != null && block.contains(item)) nameBoxes(item);
  return true;
}

function difference(was: string, now: string): Words | null {
  const most = Math.min(was.length, now.length);
  let from = 0;
  while (from < most && was[from] === now[from]) from += 1;
  let same = 0;
  while (same < most - from && was[was.length - 1 - same] === now[now.length - 1 - same]) same += 1;
  const start = from === 0 ? 0 : was.lastIndexOf(">", from - 1) + 1;
  const end = was.indexOf("<", was.length - same);
  if (start === 0 || end < 0) return null;
  const before = was.slice(start, end);
  const come = now.slice(from, now.length - same);
  const after = before.slice(0, from - start) + come + was.slice(was.length - same, end);
  // Where there is nothing but blanks, a parser may put words somewhere else. What is written twice could be either.
  if (MARKUP.test(before) || MARKUP.test(come) || before.trim() === "" || after.trim() === "") return null;
  const twice = was.indexOf(`>${before}<`) !== was.lastIndexOf(`>${before}<`);
  return twice ? null : { before, at: from - start, removed: was.length - same - from, come };
}

/** The only text of the block that says this. */
function only(block: HTMLElement, words: string): Text | null {
  const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  let found: Text | null = null;
  for (let node; (node = texts.nextNode()) !== null; ) {
    if (!(node instanceof Text) || node.data !== words) continue;
    if (found !== null) return null;
    found = node;
  }
  return found;
}

function isPlain(node: Text, block: HTMLElement): boolean {
  let each = node.parentElement;
  while (each !== null && each !== block && PLAIN.has(each.tagName)) each = each.parentElement;
  return each === block;
}
