import { ensureSyntaxTree } from "@codemirror/language";
import { EditorSelection, EditorState } from "@codemirror/state";
import { describe, expect, test } from "vitest";

import { cycleHeading, heading, list, quote } from "../src/editor/blocks.ts";
import { marked, toggle, type Edit } from "../src/editor/inline.ts";
import { codeBlock, fileLink, footnote, formula, imageOf, link, rule, table } from "../src/editor/inserts.ts";
import { indentItems, outdentItems } from "../src/editor/lists.ts";
import { markdown } from "../src/editor/markdown.ts";

/** A state from text in which `‹` and `›` are the ends of the selection, `|` a caret. */
export function stateOf(marked: string): EditorState {
  const caret = marked.indexOf("|");
  const from = caret === -1 ? marked.indexOf("‹") : caret;
  const to = caret === -1 ? marked.indexOf("›") - 1 : caret;
  const state = EditorState.create({ doc: marked.replace(/[|‹›]/g, ""), selection: EditorSelection.single(from, to), extensions: [markdown()] });
  ensureSyntaxTree(state, state.doc.length, 5000);
  return state;
}

export function shown(state: EditorState): string {
  const text = state.doc.toString();
  const { from, to, empty } = state.selection.main;
  return empty ? `${text.slice(0, from)}|${text.slice(from)}` : `${text.slice(0, from)}‹${text.slice(from, to)}›${text.slice(to)}`;
}

function edited(text: string, edit: Edit): string {
  const state = stateOf(text);
  const spec = edit(state);
  return spec === null ? "nothing" : shown(state.update(spec).state);
}

describe("marks", () => {
  test.each([
    ["one ‹two› three", "one **‹two›** three"],
    ["one **‹two›** three", "one ‹two› three"],
    ["one ‹**two**› three", "one ‹two› three"],
    ["one t|wo three", "one **t|wo** three"],
    ["one **t|wo** three", "one t|wo three"],
    ["one | three", "one **|** three"],
    ["one **|** three", "one | three"],
    ["one **two|** three", "one **two**| three"],
    ["one‹ two ›three", "one **‹two›** three"],
    ["‹one\n\ntwo›", "**‹one**\n\n**two›**"],
    ["‹- one\n- two›", "- **‹one**\n- **two›**"],
    ["- **‹one**\n- **two›**", "- ‹one\n- two›"],
    ["‹# one\n> two›", "# **‹one**\n> **two›**"],
    ["‹- [ ] one›", "- [ ] **‹one›**"],
    ["‹ ›", "nothing"],
  ])("bold of %j is %j", (before, after) => expect(edited(before, toggle("bold"))).toBe(after));

  test.each([
    ["**‹two›**", "***‹two›***"],
    ["*‹two›*", "‹two›"],
    ["_‹two›_", "‹two›"],
    ["***‹two›***", "**‹two›**"],
  ])("italic of %j is %j", (before, after) => expect(edited(before, toggle("italic"))).toBe(after));

  test("bold of bold words in an italic sentence leaves the italics", () => expect(edited("*a **‹b›** c*", toggle("bold"))).toBe("*a ‹b› c*"));
  test("code and strike have their signs", () => {
    expect(edited("‹a›", toggle("code"))).toBe("`‹a›`");
    expect(edited("~~‹a›~~", toggle("strike"))).toBe("‹a›");
  });
  test("a mark is told at the caret", () => {
    expect(marked(stateOf("a **b|c** d"), "bold")).toBe(true);
    expect(marked(stateOf("a| **bc** d"), "bold")).toBe(false);
    expect(marked(stateOf("a *b|c* d"), "bold")).toBe(false);
  });
  test("every toggle taken back gives the text as it was", () => {
    for (const name of ["bold", "italic", "strike", "code"] as const)
      for (const text of ["‹one two›", "- ‹one›\n", "‹one\n\n> two\n\n1. three›", "ein ‹größer 😀 漢字› es"]) {
        const once = stateOf(edited(text, toggle(name)));
        ensureSyntaxTree(once, once.doc.length, 5000);
        expect(edited(shown(once), toggle(name)).replace(/[‹›]/g, ""), `${name} of ${text}`).toBe(text.replace(/[‹›]/g, ""));
      }
  });
});

describe("lines", () => {
  test.each<[string, Edit, string]>([
    ["wo|rds", heading(2), "## wo|rds"],
    ["## wo|rds", heading(2), "wo|rds"],
    ["# wo|rds", heading(3), "### wo|rds"],
    ["words|\n====", heading(1), "words|"],
    ["words|\n---\n", heading(3), "### words|\n"],
    ["|", heading(1), "# |"],
    ["‹a\n\nb›", heading(1), "# ‹a\n\n# b›"],
    ["a|", cycleHeading, "# a|"],
    ["### a|", cycleHeading, "a|"],
    ["a|", quote, "> a|"],
    ["‹a\n\nb›", quote, "> ‹a\n> \n> b›"],
    ["> ‹a\n> b›", quote, "‹a\nb›"],
    ["‹a\nb›", list("bullet"), "- ‹a\n- b›"],
    ["‹a\nb›", list("number"), "1. ‹a\n2. b›"],
    ["- ‹a\n- b›", list("number"), "1. ‹a\n2. b›"],
    ["‹1. a\n2. b›", list("number"), "‹a\nb›"],
    ["3. a\nb|", list("number"), "3. a\n4. b|"],
    ["- a|", list("task"), "- [ ] a|"],
    ["- [x] a|", list("task"), "a|"],
    ["- [x] a|", list("bullet"), "- a|"],
    ["> a|", list("bullet"), "> - a|"],
    ["|", list("task"), "- [ ] |"],
  ])("%j becomes another kind of line", (before, edit, after) => expect(edited(before, edit)).toBe(after));
});

describe("what is put in", () => {
  test.each<[string, Edit, string]>([
    ["a ‹b› c", link, "a [b](|) c"],
    ["a |", link, "a [|]()"],
    ["a wo|rd", link, "a [word](|)"],
    ["‹https://example.org/x›", link, "[|](https://example.org/x)"],
    ["a [b|](c.md)", link, "a [b](‹c.md›)"],
    ["a\n|", rule, "a\n\n---\n|\n"],
    ["a|\n\nb", rule, "a\n\n---\n|\n\nb"],
    ["a\n\n|\nb", codeBlock, "a\n\n```\n|\n```\n\nb"],
    ["‹a\nb›", codeBlock, "```|\na\nb\n```\n"],
    ["‹a\n```\nb›", codeBlock, "````|\na\n```\nb\n````\n"],
    ["```js\na|\n```\n", codeBlock, "a|\n"],
    ["a|", formula, "a$|$"],
    ["a ‹x^2›", formula, "a $‹x^2›$"],
    ["|", formula, "$$\n|\n$$\n"],
    ["a| b\n", footnote, "a[^1] b\n\n[^1]: |"],
    ["a[^1] b|\n\n[^1]: c", footnote, "a[^1] b[^2]\n\n[^1]: c\n[^2]: |"],
  ])("%j", (before, edit, after) => expect(edited(before, edit)).toBe(after));

  test("a table has heads that are selected, and room around it", () => {
    const made = edited("a\n|\nb", table((n) => `Head ${n}`));
    expect(made).toBe("a\n\n| ‹Head 1› | Head 2 |\n| ------ | ------ |\n|        |        |\n\nb");
  });
  test("pictures are shown, and files linked by their names", () => {
    expect(imageOf("n.md.assets/größe.png")).toBe("![](n.md.assets/größe.png)");
    expect(fileLink("a[1].pdf", "n.md.assets/a[1].pdf")).toBe("[a\\[1\\].pdf](n.md.assets/a[1].pdf)");
  });
});

describe("lists", () => {
  const moved = (text: string, command: typeof indentItems): string => {
    let state = stateOf(text);
    const done = command({ state, dispatch: (transaction) => (state = transaction.state) });
    return done ? shown(state) : "nothing";
  };
  test.each([
    ["- a\n- b|", "- a\n  - b|"],
    ["1. a\n2. b|\n3. c", "1. a\n   1. b|\n2. c"],
    ["- a\n  - b\n- c|", "- a\n  - b\n  - c|"],
    ["- a\n- b|\n  - c\n- d", "- a\n  - b|\n    - c\n- d"],
    ["- a|", "- a|"],
    ["- [ ] a\n- [ ] b|", "- [ ] a\n  - [ ] b|"],
    ["1. a\n2. ‹b\n3. c›\n4. d", "1. a\n   1. ‹b\n   2. c›\n2. d"],
    ["10. a\n11. b|", "10. a\n    1. b|"],
    ["1. a\n1. b\n1. c|\n1. d", "1. a\n1. b\n   1. c|\n1. d"],
    ["words|", "nothing"],
    ["```\n- a\n- b|\n```", "nothing"],
  ])("Tab on %j gives %j", (before, after) => expect(moved(before, indentItems)).toBe(after));
  test.each([
    ["- a\n  - b|", "- a\n- b|"],
    ["1. a\n   1. b|\n2. c", "1. a\n2. b|\n3. c"],
    ["- a\n  - b\n    - c|", "- a\n  - b\n  - c|"],
    ["- a\n\t- b|", "- a\n- b|"],
    ["- a|", "- a|"],
  ])("Shift and Tab on %j gives %j", (before, after) => expect(moved(before, outdentItems)).toBe(after));
});
