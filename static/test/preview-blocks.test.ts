import { describe, expect, test } from "vitest";

import { Rendering } from "../src/preview/blocks.ts";
import { escaped, hook, hookIn } from "../src/preview/hooks.ts";
import { slugOf, Slugs } from "../src/preview/headings.ts";
import { difference } from "../src/preview/letters.ts";
import { quiet } from "../src/preview/quiet.ts";
import { boxIn, fingerprint } from "../src/preview/tasks.ts";

const MARK = "mark";

async function markup(text: string): Promise<string> {
  return (await new Rendering(MARK).blocks(text)).map(({ html }) => html).join("");
}

async function formulas(text: string): Promise<string[]> {
  return [...(await markup(text)).matchAll(/data-own="mark (?:formula|display)"><code>(.*?)<\/code>/gs)].map((found) => found[1] ?? "");
}

/** A deterministic source of numbers from 0 up to 1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("blocks", () => {
  test("each top-level block has its lines", async () => {
    const blocks = await new Rendering(MARK).blocks("# One\n\ntwo\ntwo\n\n- a\n- b\n\n```\ncode\n\n```\nend\n");
    expect(blocks.map(({ first, end }) => [first, end])).toEqual([[0, 1], [2, 4], [5, 8], [8, 12], [12, 13]]);
  });

  test("an unchanged block has the same markup when it is elsewhere", async () => {
    const rendering = new Rendering(MARK);
    const before = await rendering.blocks("- [ ] task\n\npara $x$\n");
    const after = await rendering.blocks("new\n\n\n- [ ] task\n\npara $x$\n");
    expect(after.slice(1).map(({ html }) => html)).toEqual(before.map(({ html }) => html));
  });

  test("what was kept of the last text is what a new parser makes of this one", async () => {
    const random = numbers(7);
    const notes = ["foot[^1]", "[^1]: note", "[^1]: other\n    more", "^[inline]"];
    const parts = ["para [a] and *b*", "# Head", "- x\n- y", "[a]: /url", ...notes, "[toc]", "> q", "```js\nx\n```"];
    const pick = (): string => parts[Math.floor(random() * parts.length)] ?? "";
    const rendering = new Rendering(MARK);
    let lines = Array.from({ length: 12 }, pick);
    for (let step = 0; step < 60; step += 1) {
      lines = lines.toSpliced(Math.floor(random() * lines.length), Math.round(random()), pick());
      const text = lines.join("\n\n");
      expect(await rendering.blocks(text)).toEqual(await new Rendering(MARK).blocks(text));
    }
  });

  test("an author's details hold the Markdown up to their end", async () => {
    const blocks = await new Rendering(MARK).blocks("<details>\n<summary>More</summary>\n\n*inner*\n\n- a\n\n</details>\n\nafter\n");
    expect(blocks).toHaveLength(2);
    expect(blocks[0]?.html).toContain("<em>inner</em>");
  });

  test("a container that is never closed holds only its own block", async () => {
    expect(await new Rendering(MARK).blocks("<div>\n\na\n\nb\n")).toHaveLength(3);
  });

  test("a long list is cut into several that count on", async () => {
    const blocks = await new Rendering(MARK).blocks(Array.from({ length: 300 }, (_, index) => `${index + 1}. item ${index}`).join("\n"));
    expect(blocks.length).toBeGreaterThan(4);
    for (const { html, first } of blocks.slice(1)) expect(html).toMatch(new RegExp(`^<ol start="${first + 1}" data-own="mark more">`));
    expect(blocks.map(({ html }) => html.match(/<li>/g)?.length ?? 0).reduce((sum, each) => sum + each, 0)).toBe(300);
  });

  test("an item more in a long list changes few of its parts", async () => {
    const items = Array.from({ length: 1000 }, (_, index) => `- item ${index}`);
    const rendering = new Rendering(MARK);
    const before = (await rendering.blocks(items.join("\n"))).map(({ html }) => html);
    const after = (await rendering.blocks(items.toSpliced(500, 0, "- new").join("\n"))).map(({ html }) => html);
    expect(difference(before, after).html.length).toBeLessThanOrEqual(2);
  });

  test("a return is one character of its line", async () => {
    const blocks = await new Rendering(MARK).blocks("a\rb\n\nc\n");
    expect(blocks.map(({ first }) => first)).toEqual([0, 2]);
  });

  test("the difference makes the new blocks of the old", () => {
    const random = numbers(3);
    for (let step = 0; step < 200; step += 1) {
      const make = (): string[] => Array.from({ length: Math.floor(random() * 6) }, () => "abc"[Math.floor(random() * 3)] ?? "");
      const [before, after] = [make(), make()];
      const { from, removed, html } = difference(before, after);
      expect(before.toSpliced(from, removed, ...html)).toEqual(after);
    }
  });

  test.each([
    ["a text of dollars", "$a ".repeat(40_000)],
    ["open display formulas", "$$a\n".repeat(20_000)],
    ["brackets", "[".repeat(20_000)],
    ["quotes in quotes", ">".repeat(20_000)],
    ["unclosed containers", "<div>\n\n".repeat(2_000)],
    ["open comments", "<!-- ".repeat(20_000)],
    ["stars", "*a **a ".repeat(10_000)],
    ["footnotes", "[^1] ".repeat(5_000) + "\n\n[^1]: a"],
    ["addresses", "www.".repeat(10_000)],
    ["tags in values", "<a x=" + "<a/x=".repeat(20_000)],
    ["open quotes", "<a x='\"".repeat(5_000)],
    ["blanks in a tag", "<a" + " ".repeat(50_000) + "<"],
  ])("%s come to an end", async (_name, text) => {
    expect((await new Rendering(MARK).blocks(text)).length).toBeGreaterThan(0);
  }, 10_000);
});

describe("formulas", () => {
  test.each([
    ["$x^2$", ["x^2"]],
    ["a $x$ and $y$.", ["x", "y"]],
    ["$5 and $6, and $x$", ["x"]],
    ["$$x$$", ["x"]],
    ["in a line $$x$$ too", ["x"]],
    ["$$\nx\n+ y\n$$", ["x\n+ y"]],
    ["- item\n\n  $$\n  x\n  $$", ["x"]],
    ["> $$\n> x\n> $$", ["x"]],
    ["```math\n\\frac12\n```", ["\\frac12"]],
    ["$a \\$ b$", ["a \\$ b"]],
    ["$<b>$", ["&lt;b&gt;"]],
    ["text\n$$\nx\n$$", ["x"]],
  ])("%j has %j", async (text, wanted) => {
    expect(await formulas(text)).toEqual(wanted);
  });

  test.each(["$5 and $6", "costs 5$ or 6$ now", "\\$x\\$", "`$x$`", "$ x $", "$x$5", "$$", "$$$$", "$$\n\n$$", "a $ b", "$$\nx\n\ny"])(
    "%j has none",
    async (text) => {
      expect(await formulas(text)).toEqual([]);
    },
  );
});

describe("addresses", () => {
  test.each([
    ["see www.example.org/a.", 'href="http://www.example.org/a"'],
    ["https://example.org/a_b)", 'href="https://example.org/a_b"'],
    ["<https://example.org>", 'href="https://example.org"'],
    ["mail a@example.org", 'href="mailto:a@example.org"'],
  ])("%j is a link", async (text, wanted) => {
    expect(await markup(text)).toContain(wanted);
  });

  test.each(["readme.md", "example.com", "www.", "www.x", "`www.example.org`"])("%j is none", async (text) => {
    expect(await markup(text)).not.toContain("<a ");
  });
});

describe("tasks", () => {
  test("boxes know their lines within the block", async () => {
    const html = await markup("text\n\n- [ ] a\n- [x] b\n  - [X] c\n- no\n\n1. [ ] d\n");
    const found = [...html.matchAll(/mark task (\d+) (x?)"/g)].map(([, line, ticked]) => `${line}${ticked}`);
    expect(found).toEqual(["0", "1x", "2x", "0"]);
  });

  test.each(["- [a] b", "- []", "[ ] no list", "- \\[ ] escaped", "- [x](link)", "- [x]\n\n[x]: /url", "- [ ]tight"])("%j has none", async (text) => {
    expect(await markup(text)).not.toContain(`${MARK} task`);
  });

  test.each([
    ["- [ ] a", 3, false],
    ["  * [x] a", 5, true],
    ["> - [X] a", 5, true],
    ["12. [ ] a", 5, false],
    ["- - [ ] a", 5, false],
    ["\t- [ ]\ta", 4, false],
  ])("the box of %j is at %i", (line, at, ticked) => {
    expect(boxIn(line)).toEqual({ at, ticked });
  });

  test.each(["text [ ] a", "- a [ ]", "", "[x]y", "- [x]y"])("%j has no box", (line) => {
    expect(boxIn(line)).toBeNull();
  });

  test("a line is known again whether it is ticked or not", () => {
    expect(fingerprint("- [x] a")).toBe(fingerprint("- [ ] a"));
    expect(fingerprint("- [x] a")).not.toBe(fingerprint("- [x] b"));
  });
});

describe("headings", () => {
  test.each([
    ["What's new?", "whats-new"],
    ["Über uns & euch", "über-uns--euch"],
    ["snake_case `x`", "snake_case-x"],
    ["日本語 見出し", "日本語-見出し"],
  ])("%j is at #%s", (text, slug) => {
    expect(slugOf(text)).toBe(slug);
  });

  test("the same words twice are two places", () => {
    const slugs = new Slugs();
    expect(["a", "a", "a 1", "a"].map((text) => slugs.next(text))).toEqual(["a", "a-1", "a-1-1", "a-2"]);
  });

  test("a table of contents names all headings", async () => {
    const html = await markup("[toc]\n\n# A *b*\n\n## C\n");
    expect(html).toContain('data-own="mark toc 0 1"><ul><li><a href="#a-b">A b</a></li><li><a href="#c">C</a></li></ul>');
  });
});

describe("front matter", () => {
  test("the title is the heading of a text without one", async () => {
    const html = await markup("---\ntitle: Notes on *x*\nauthors: [Ann, {name: Bob}]\ndate: 2026-01-02\ntags: a\n---\n\ntext\n");
    expect(html).toContain('<h1 data-own="mark title">Notes on *x*</h1>');
    expect(html).toContain("<dd>Ann, Bob</dd>");
    expect(html).toContain("<dd>2026-01-02</dd>");
  });

  test("a text with a heading keeps it", async () => {
    expect(await markup("---\ntitle: T\n---\n# H\n")).not.toContain("mark title");
  });

  test("broken YAML is shown as it is", async () => {
    expect(await markup("---\ntitle: [a\n---\ntext\n")).toMatch(/mark wrong .*<pre><code>title: \[a<\/code><\/pre>/s);
  });

  test.each(["---\n\ntext\n\n---\n", "text\n---\na: b\n---\n", "---\n---\n", " ---\na: b\n---\n"])("%j has none", async (text) => {
    expect(await markup(text)).not.toMatch(/mark (?:matter|title)/);
  });

  test.each(["a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", "__proto__: {polluted: 1}", "a: !!js/function 'x'", "constructor: x"])(
    "%j is only data",
    async (yaml) => {
      await markup(`---\n${yaml}\n---\n`);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );
});

describe("hooks", () => {
  test("a hook is read back", () => {
    const value = /="(.*)"/.exec(hook(MARK, "code", "c++ <&\"'> \ud800"))?.[1] ?? "";
    expect(hookIn(MARK, value)).toEqual({ kind: "code", words: ["c++ <&\"'> \ufffd"] });
  });

  test.each(["", "task 0", "other task 0", "mark evil", "mark", " mark task", "marktask"])("%j is not ours", (value) => {
    expect(hookIn(MARK, value)).toBeNull();
  });

  test("text in markup is text", () => {
    expect(escaped("<a href=\"'&'\">")).toBe("&lt;a href=&quot;&#39;&amp;&#39;&quot;&gt;");
  });
});

describe("quiet", () => {
  test.each([
    ["<p onclick=a() class=x>t</p>", "<p  class=x>t</p>"],
    ["<img src=x\nonerror='a>b'>", "<img src=x >"],
    ["<img/src=x/onerror=a()//", "<img/src=x/onerror=a()//"],
    ["<p STYLE = \"x\">on = style=1</p>", "<p >on = style=1</p>"],
    ["<style>a</style>", "<noembed>a</noembed>"],
    ["<a title='</style><img onerror=a()>'>", "<a title='</noembed><img >'>"],
    ["a < b <= c <3 <!-- x -->", "a < b <= c <3 <!-- x -->"],
    ["<p one=1 once=2>", "<p  >"],
    ["<", "<"],
    ["<a", "<a"],
    ["<a href=\"x", "<a href=\"x"],
  ])("%j becomes %j", (markup, wanted) => {
    expect(quiet(markup)).toBe(wanted);
  });
});
