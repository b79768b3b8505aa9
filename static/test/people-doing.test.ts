import { markdown } from "@codemirror/lang-markdown";
import { ensureSyntaxTree } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";

import { doingWords, headingAt } from "../src/people/doing.ts";

const TEXT = "start\n\n# *First* part #\n\nwords\n\n```\n# no heading\n```\n\nmore\n\nSecond\n------\n\nend\n";

function parsed(doc: string): EditorState {
  const state = EditorState.create({ doc, extensions: [markdown()] });
  ensureSyntaxTree(state, doc.length, 5000);
  return state;
}

test.each([
  ["start", null],
  ["words", "First part"],
  ["# no", "First part"],
  ["more", "First part"],
  ["Second", "Second"],
  ["end", "Second"],
])("the heading at %j is %j", (words, heading) => {
  expect(headingAt(parsed(TEXT), TEXT.indexOf(words) + 1)).toBe(heading);
});

test("what somebody does is said in words", () => {
  const state = parsed(TEXT);
  const plain = EditorState.create({ doc: "a\nb\nc" });
  expect(doingWords("typing", state, TEXT.indexOf("end"))).toBe("typing in “Second”");
  expect(doingWords("there", state, TEXT.indexOf("end"))).toBe("in “Second”");
  expect(doingWords("typing", plain, 2)).toBe("typing in line 2");
  expect(doingWords("there", plain, 4)).toBe("line 3");
  expect(doingWords("reading", plain, null)).toBe("reading");
  expect(doingWords("idle", plain, 4)).toBe("away for a while");
});

test("a heading of a thousand letters is cut", () => {
  expect(headingAt(parsed(`# ${"x".repeat(1000)}\n\nend`), 1004)).toBe(`${"x".repeat(60)}…`);
});
