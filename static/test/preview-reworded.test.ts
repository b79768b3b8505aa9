// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { reworded } from "../src/preview/reworded.ts";

function block(markup: string): HTMLElement {
  const made = document.createElement("div");
  made.innerHTML = markup;
  return made;
}

function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

test("words that change change in their own text, which stays the same one", () => {
  const shown = block("<p>one <em>two</em> three</p>");
  const text = shown.querySelector("em")?.firstChild;
  expect(reworded(shown, "<p>one <em>two</em> three</p>", "<p>one <em>two and a half</em> three</p>")).toBe(true);
  expect(shown.innerHTML).toBe("<p>one <em>two and a half</em> three</p>");
  expect(shown.querySelector("em")?.firstChild).toBe(text);
});

test("what is reworded is what is made anew, and all else is left as it was", () => {
  const random = numbers(11);
  const parts = ["<p>", "</p>", "<em>", "</em>", "a", "b", " ", "a b", "&amp;", "<b title='a > b < a'>", "</b>", "<!-- a -->", "<span>", "</span>", "\n", '<a href="#a">', "</a>"];
  const part = (): string => parts[random(parts.length)] ?? "";
  let done = 0;
  for (let step = 0; step < 3000; step += 1) {
    const before = ["<p>", ...Array.from({ length: 1 + random(8) }, part), "</p>"];
    const after = before.toSpliced(1 + random(before.length - 1), random(2), ...(random(4) === 0 ? [part(), part()] : [part()]));
    const [was, now] = [before.join(""), after.join("")];
    const shown = block(was);
    const untouched = block(was);
    if (reworded(shown, was, now)) {
      done += 1;
      expect(shown.isEqualNode(block(now)), `${was} -> ${now}`).toBe(true);
    } else expect(shown.isEqualNode(untouched), `${was} -> ${now}`).toBe(true);
  }
  expect(done).toBeGreaterThan(50);
});

test.each([
  ["a tag comes", "<p>one</p>", "<p>o<em>n</em>e</p>"],
  ["an attribute is another", '<p><a href="#a">one</a></p>', '<p><a href="#b">one</a></p>'],
  ["a value looks like a tag", "<p><b title='a > x < y'>x</b><i>z</i></p>", "<p><b title='a > xx < y'>x</b><i>z</i></p>"],
  ["there is a character by name", "<p>one &amp; two</p>", "<p>one &amp; three</p>"],
  ["the same stands there twice", "<p>one</p><p>one</p>", "<p>one</p><p>ones</p>"],
  ["it was empty", "<p></p>", "<p>one</p>"],
  ["only blanks are left", "<p>a</p>", "<p> </p>"],
  ["it names an anchor", "<h2>one</h2>", "<h2>ones</h2>"],
  ["it is coloured", "<pre><code>one</code></pre>", "<pre><code>ones</code></pre>"],
  ["it is in a table, which may become wide", "<table><tbody><tr><td>one</td></tr></tbody></table>", "<table><tbody><tr><td>ones</td></tr></tbody></table>"],
])("nothing is reworded where %s", (_, was, now) => {
  const shown = block(was);
  const before = shown.innerHTML;
  expect(reworded(shown, was, now)).toBe(false);
  expect(shown.innerHTML).toBe(before);
});

test("words that the page does not show are not looked for elsewhere", () => {
  const shown = block("<p>seen</p>");
  expect(reworded(shown, "<script>hidden</script><p>seen</p>", "<script>hiddens</script><p>seen</p>")).toBe(false);
  expect(shown.innerHTML).toBe("<p>seen</p>");
});

test("a box is called what its item says, and no other", () => {
  const item = (words: string, rest = ""): string => `<li class="md-task"><input type="checkbox" class="md-box" aria-label="${words}"> ${words}${rest}</li>`;
  const shown = block(`<ul>${item("one", `<ul>${item("two")}</ul>`)}${item("three")}</ul>`);
  const was = "<ul><li><span></span> one<ul><li><span></span> two</li></ul></li><li><span></span> three</li></ul>";
  expect(reworded(shown, was, was.replace(" two", " twofold"))).toBe(true);
  const names = [...shown.querySelectorAll(".md-box")].map((each) => each.getAttribute("aria-label"));
  expect(names).toEqual(["one", "twofold", "three"]);
});
