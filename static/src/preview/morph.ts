/** Make old elements like new ones with as few changes as there are: the less is new, the less has to be styled, laid out and painted. */

import { boxes } from "./boxes.ts";

/** What a person did is not in the markup. */
const OWN = new Set(["open", "style", "tabindex"]);

/** Formulas are drawn with styles of their own. */
const WHOLE = ".katex, .katex-display";

/** Make `old` what `made` is; what is the same in both stays, with its focus, its selection and all that was done to it. */
export function morph(old: Element, made: Element): void {
  for (const name of made.getAttributeNames()) {
    const value = made.getAttribute(name) ?? "";
    if (!OWN.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) if (!OWN.has(name) && !made.hasAttribute(name)) old.removeAttribute(name);
  tick(old, made);
  children(old, made);
}

function children(old: Element, made: Element): void {
  const [before, after] = [[...old.childNodes], [...made.childNodes]];
  const most = Math.min(before.length, after.length);
  let first = 0;
  while (first < most && keeps(before[first], after[first])) first += 1;
  let last = 0;
  while (last < most - first && keeps(before[before.length - 1 - last], after[after.length - 1 - last])) last += 1;
  const gone = before.slice(first, before.length - last);
  const come = after.slice(first, after.length - last);
  const next = before[before.length - last] ?? null;
  come.forEach((each, index) => {
    const there = gone[index];
    if (there === undefined) old.insertBefore(each, next);
    else become(there, each);
  });
  for (const each of gone.slice(come.length)) each.remove();
}

function become(old: ChildNode, made: ChildNode): void {
  if (old instanceof Text && made instanceof Text) old.data = made.data;
  else if (old instanceof Element && made instanceof Element && old.nodeName === made.nodeName && !made.matches(WHOLE)) morph(old, made);
  else old.replaceWith(made);
}

/** Whether they are the same; then the old one stays, and knows what the new one knew. */
function keeps(old: ChildNode | undefined, made: ChildNode | undefined): boolean {
  if (old === undefined || made === undefined || !old.isEqualNode(made)) return false;
  if (!(old instanceof Element) || !(made instanceof Element)) return true;
  tick(old, made);
  const inside = made.querySelectorAll(".md-box");
  if (inside.length > 0) old.querySelectorAll(".md-box").forEach((each, index) => tick(each, inside[index]));
  return true;
}

/** Boxes know their lines, and may have been ticked since. */
function tick(old: Element, made: Element | undefined): void {
  if (!(old instanceof HTMLInputElement) || !(made instanceof HTMLInputElement)) return;
  old.checked = made.checked;
  boxes.set(old, boxes.get(made) ?? 0);
}
