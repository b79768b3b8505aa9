// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { boxes } from "../src/preview/boxes.ts";
import { Lines } from "../src/preview/lines.ts";
import { morph } from "../src/preview/morph.ts";

function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

/** A random tree of few kinds of nodes, so that there is much that is alike. */
function tree(random: (most: number) => number, depth = 0): HTMLElement {
  const made = document.createElement(["p", "b", "span"][random(3)] ?? "p");
  if (random(3) === 0) made.setAttribute(["title", "class"][random(2)] ?? "title", String(random(2)));
  for (let count = random(5); count > 0; count -= 1) made.append(depth < 3 && random(2) === 0 ? tree(random, depth + 1) : ` ${random(3)}`);
  return made;
}

test("old elements become as the new ones are", () => {
  const random = numbers(5);
  for (let step = 0; step < 500; step += 1) {
    const [old, made] = [document.createElement("div"), document.createElement("div")];
    old.append(tree(random), tree(random));
    made.append(tree(random), tree(random));
    const wanted = made.cloneNode(true);
    morph(old, made);
    expect(old.isEqualNode(wanted), (wanted as HTMLElement).outerHTML).toBe(true);
  }
});

function list(...items: { words: string; ticked?: boolean; line: number }[]): HTMLElement {
  const made = document.createElement("ul");
  for (const { words, ticked = false, line } of items) {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.className = "md-box";
    if (ticked) box.setAttribute("checked", "");
    boxes.set(box, line);
    const item = document.createElement("li");
    item.append(box, words);
    made.append(item);
  }
  return made;
}

test("what is the same stays the same element", () => {
  const old = list({ words: "a", line: 0 }, { words: "b", line: 1 }, { words: "c", line: 2 });
  const [first, second, third] = old.children;
  morph(old, list({ words: "a", line: 0 }, { words: "B", line: 1 }, { words: "c", line: 2 }));
  expect([...old.children]).toEqual([first, second, third]);
  expect(old.textContent).toBe("aBc");
});

test("a box that stays ticks the line where it is now, and is ticked as the text says", () => {
  const old = list({ words: "a", line: 0 }, { words: "b", line: 1 });
  const last = old.lastElementChild?.querySelector("input");
  if (last instanceof HTMLInputElement) last.checked = true;
  morph(old, list({ words: "new", line: 0 }, { words: "a", ticked: true, line: 2 }, { words: "b", line: 3 }));
  const found = [...old.querySelectorAll("input")];
  expect(found.map((box) => boxes.get(box))).toEqual([0, 2, 3]);
  expect(found.map((box) => box.checked)).toEqual([false, true, false]);
  expect(found[2]).toBe(last);
});

test("details stay open", () => {
  const [old, made] = [document.createElement("details"), document.createElement("details")];
  old.setAttribute("open", "");
  made.append("words");
  morph(old, made);
  expect(old.hasAttribute("open")).toBe(true);
});

test("a formula is replaced as a whole, with its styles", () => {
  const formula = (words: string): HTMLElement => {
    const [holder, made] = [document.createElement("p"), document.createElement("span")];
    made.className = "katex";
    made.append(words);
    holder.append(made);
    return holder;
  };
  const [old, made] = [formula("x"), formula("y")];
  const wanted = made.firstChild;
  morph(old, made);
  expect(old.firstChild).toBe(wanted);
});

test("a line is in the last block that begins before it", () => {
  const lines = new Lines(Int32Array.from([0, 1, 2, 4, 5, 9]));
  expect([0, 1, 2, 3, 4, 5, 8, 20].map((line) => lines.blockAt(line))).toEqual([0, 0, 1, 1, 1, 2, 2, 2]);
  expect(new Lines(Int32Array.from([3, 4])).blockAt(1)).toBe(-1);
});
