import { EditorState } from "@codemirror/state";
import { indentUnit } from "@codemirror/language";
import { expect, test } from "vitest";

import { indentation } from "../src/editor/indentation.ts";
import { isMarkdown, isProse, isTable, usualIndent } from "../src/editor/languages.ts";

test.each(["a.md", "a/b.txt", "README", "notes.rst", "LICENSE"])("%s is a text for people", (name) => expect(isProse(name)).toBe(true));
test.each(["a.py", "Makefile", "a/Dockerfile", "CMakeLists.txt", ".gitignore", "a.csv"])("%s is none", (name) => expect(isProse(name)).toBe(false));
test("Markdown and tables are known by their names", () => {
  expect([isMarkdown("A.MD"), isMarkdown("a.mdx"), isTable("a.tsv"), isTable("a.md")]).toEqual([true, false, true, false]);
});

const unit = (text: string, usual = "  "): string => EditorState.create({ extensions: indentation(text, usual) }).facet(indentUnit);

test("a file is indented as it is already", () => {
  expect(unit("a\n    b\n        c\n")).toBe("    ");
  expect(unit("a\n  b\n    c\n")).toBe("  ");
  expect(unit("a\n\tb\n\tc\n")).toBe("\t");
});

test("a file that tells nothing is indented as is usual", () => {
  expect(unit("a\nb\n", usualIndent("a.py"))).toBe("    ");
  expect(unit("", usualIndent("Makefile"))).toBe("\t");
  expect(unit("", usualIndent("a.ts"))).toBe("  ");
});
