import { expect, test } from "vitest";

import { encoded, fileName, folderOf, nameIn, newPath, trail } from "../src/base/names.ts";
import { secretIn } from "../src/base/secrets.ts";

const NAMES = ["notes.md", "a/b/c d.md", "Größe ☃ 😀.md", "100%25 #1?.md", "مرحبا/世界.txt", "e\u0301 \u00e9.md", "id:abcdefghijklmnopqrstuvwxyz", "a+b&c=d;e.md"];

test.each(NAMES)("the name %s comes back from its address as it was", (name) => {
  const { pathname } = new URL(`http://127.0.0.1/collab/edit/${encoded(name)}`);
  expect(nameIn(pathname, "/collab")).toBe(name);
});

test("a name is decoded once", () => {
  expect(nameIn("/edit/a%2520b.md", "")).toBe("a%20b.md");
});

test("a slash may be encoded", () => {
  expect(nameIn("/edit/a%2Fb.md", "")).toBe("a/b.md");
});

test.each(["/edit/", "/edit/%E9.md", "/edit/%zz", "/other/a.md", "/edit"])("the address %s names no document", (pathname) => {
  expect(nameIn(pathname, "")).toBeNull();
});

test("a path has a file name and a folder", () => {
  expect([fileName("a/b.md"), folderOf("a/b.md")]).toEqual(["b.md", "a"]);
  expect([fileName("b.md"), folderOf("b.md")]).toEqual(["b.md", ""]);
});

test("the trail leads from the root to the folder", () => {
  expect(trail("")).toEqual([]);
  expect(trail("a/b")).toEqual([
    { name: "a", path: "a" },
    { name: "b", path: "a/b" },
  ]);
});

test("a new document without an extension is Markdown", () => {
  expect([newPath("", " plan "), newPath("a/b", "x.txt"), newPath("a.b", "c/d")]).toEqual(["plan.md", "a/b/x.txt", "a.b/c/d.md"]);
});

test.each(["http://127.0.0.1:8000/login#s3cret", "#s3cret", " s3cret\n"])("the secret is found in %j", (pasted) => {
  expect(secretIn(pasted)).toBe("s3cret");
});
