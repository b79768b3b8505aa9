// @vitest-environment happy-dom

/** What somebody is about to say about a document, while others say something else (META-2, META-6). */

import { expect, test } from "vitest";

import { Draft, typed } from "../src/about/draft.ts";
import { MOST } from "../src/about/metadata.ts";
import { askedTag, entryOf, matches } from "../src/files/entries.ts";
import { noticeIn } from "../src/words/notices.ts";

const draft = (tags: string[] = ["a", "b"], description = "text"): Draft => new Draft({ tags, description });

test("commas and line ends divide what is typed", () => {
  expect(typed(" one ,two  words\n,, ")).toEqual(["one", "two words"]);
  expect(typed("x".repeat(MOST.tag + 9))).toEqual(["x".repeat(MOST.tag)]);
});

test("a tag is there once, whatever its case, and there are so many", () => {
  const made = draft();
  expect(made.add(["A", "c", "C"])).toBe(true);
  expect(made.tags).toEqual(["a", "b", "c"]);
  expect(made.add(Array.from({ length: MOST.tags }, (_, at) => `t${at}`))).toBe(false);
  expect(made.tags).toEqual(["a", "b", "c"]);
});

test("only what was changed is said", () => {
  const made = draft();
  expect(made.changed).toBe(false);
  expect(made.made({ tags: ["a", "b"], description: "text" })).toEqual({});
  made.description = "mine";
  expect(made.made({ tags: ["x"], description: "theirs" })).toEqual({ description: "mine" });
});

test("tags that others add or take away meanwhile count, and ours too", () => {
  const made = draft(["a", "b", "c"]);
  made.remove("a");
  made.add(["mine"]);
  expect(made.made({ tags: ["a", "b", "theirs"], description: "text" })).toEqual({ tags: ["b", "theirs", "mine"] });
  expect(made.hear({ tags: ["a", "b", "theirs"], description: "text" })).toBe(true);
  expect(made.tags).toEqual(["b", "theirs", "mine"]);
  expect(made.changed).toBe(true);
});

test("a description that is not touched follows the others, one that is stays, and that is told", () => {
  const made = draft();
  expect(made.hear({ tags: ["a"], description: "theirs" })).toBe(true);
  expect([made.description, made.tags, made.changed]).toEqual(["theirs", ["a"], false]);
  made.description = "mine";
  expect(made.hear({ tags: ["a"], description: "another" })).toBe(false);
  expect(made.description).toBe("mine");
  expect(made.made({ tags: ["a"], description: "another" })).toEqual({ description: "mine" });
});

test("a list is filtered by tags as the server searches", () => {
  const entry = entryOf({ id: "id:x", path: "notes/Plan.md", type: "text/markdown", size: 1, etag: "", modified: 0, role: "editor", tags: ["Génome", "lab notes"] });
  expect(matches(entry, "tag:gen")).toBe(true);
  expect(matches(entry, 'plan tag:"lab notes"')).toBe(true);
  expect(matches(entry, "tag:notes")).toBe(false);
  expect(matches(entry, "other tag:gen")).toBe(false);
  expect(matches(entry, askedTag("lab notes"))).toBe(true);
});

test("a notice tells what is said now", () => {
  expect(noticeIn('collab:notice {"kind": "about", "tags": ["a", 1], "description": "x"}')).toEqual({ kind: "about", tags: ["a"], description: "x" });
});
