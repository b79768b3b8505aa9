import { describe, expect, it } from "vitest";

import { keyOf, pagesOf } from "../src/present/deck.ts";
import { cut, plain } from "../src/present/slides.ts";

const sources = (text: string): string[] => cut(text).slides.map(({ source }) => source);

describe("slides", () => {
  it("are cut by lines of dashes with an empty line before", () => {
    expect(sources("one\n\n---\n\ntwo\n\n-----  \nthree")).toEqual(["one", "two", "three"]);
  });

  it("are not cut by a line of dashes below text, which makes a heading", () => {
    expect(sources("Title\n---\n\ntext\n\n---\n\nend")).toEqual(["Title\n---\n\ntext", "end"]);
  });

  it("are not cut inside of fences, comments, quotations, lists and formulas", () => {
    const inside = ["```\n\n---\n\n```", "<!--\n\n---\n\n-->", "> a\n>\n> ---", "- a\n\n  ---", "$$\n---\n$$"];
    for (const block of inside) expect(sources(`first\n\n${block}\n\nlast\n\n---\n\nend`)).toHaveLength(2);
  });

  it("are not cut by other rules", () => {
    expect(sources("a\n\n***\n\nb\n\n___\n\nc\n\n- - -\n\nd\n\n---\n\ne")).toHaveLength(2);
  });

  it("are cut before headings of the first and second level when no line of dashes is there", () => {
    expect(sources("intro\n\n# A\n\na\n\n### not this\n\nB\n-\n\nb\n\n```\n# nor this\n```")).toEqual([
      "intro",
      "# A\n\na\n\n### not this",
      "B\n-\n\nb\n\n```\n# nor this\n```",
    ]);
  });

  it("leave out what is empty", () => {
    expect(sources("---\n\n---\n\na\n\n---\n\n---\n")).toEqual(["a"]);
    expect(sources("")).toEqual([]);
  });

  it("take front matter for no slide", () => {
    const { matter, slides } = cut("---\ntitle: T\n---\n\na\n\n---\n\nb");
    expect(matter).toBe("title: T");
    expect(slides).toHaveLength(2);
  });

  it("have notes: comments, and all from a line that begins with Note", () => {
    const [slide] = cut("# A\n\n<!-- slowly -->\n\ntext\n\nNote: hello\nthere\n\n- and this\n\n---\n\nb").slides;
    expect(slide).toEqual({ source: "# A\n\ntext", notes: "slowly\n\nhello\nthere\n\n- and this", heading: "A" });
  });

  it("bring along links and footnotes that are defined on other slides", () => {
    const text = "see [the docs] and[^1]\n\n---\n\n[other][The Docs]\n\n---\n\nplain\n\n[the docs]: https://example.org\n[^1]: A note.\n";
    const [first, second, third] = sources(text);
    expect(first).toBe("see [the docs] and[^1]\n\n[^1]: A note.\n\n[the docs]: https://example.org");
    expect(second).toBe("[other][The Docs]\n\n[the docs]: https://example.org");
    expect(third).toBe("plain");
  });

  it("say their heading without its markup", () => {
    expect(plain("**Bold** [link](x) `code` ![pic](y.png) <b>tag</b>")).toBe("Bold link code pic tag");
  });
});

describe("pages", () => {
  it("begin with one of the title, the authors and the date", async () => {
    const [first, second] = await pagesOf("---\ntitle: T\nauthors: [A, B]\ndate: 2026\n---\n\n# One\n");
    expect(first?.matter?.title).toBe("T");
    expect(first?.matter?.facts.map(({ text }) => text)).toEqual(["A, B", "2026"]);
    expect(second?.source).toBe("# One");
  });

  it("do not show a title twice", async () => {
    expect((await pagesOf("---\ntitle: T\n---\n\n# T\n\n---\n\nb")).map(keyOf)).toHaveLength(2);
  });

  it("are the slides alone when the front matter has no title or is broken", async () => {
    expect(await pagesOf("---\nlang: en\n---\n\na")).toHaveLength(1);
    expect(await pagesOf("---\ntitle: [\n---\n\na")).toHaveLength(1);
  });
});
