// @vitest-environment happy-dom

import { expect, test } from "vitest";

import { numbered, safe } from "../src/editor/images.ts";

test.each([
  ["plan.png", "plan.png"],
  ["my plan (1).png", "my-plan-(1).png"],
  ["C:\\Users\\a\\b.png", "CUsersab.png"],
  ["../../etc/passwd", "passwd"],
  [".hidden", "hidden"],
  ["größe 漢字.png", "größe-漢字.png"],
  ["a\u202Egnp.exe", "agnp.exe"],
  ["???", "file"],
])("the file %j is stored as %j", (name, stored) => expect(safe(name)).toBe(stored));

test("a long name keeps its end, where the kind of file is told", () => {
  expect(safe(`${"x".repeat(300)}.png`)).toMatch(/^x{96}\.png$/);
});

test("a name that is taken gets a number, and in the end one that nobody has", () => {
  expect([1, 2, 20].map((number) => numbered("a.b.png", number))).toEqual(["a.b.png", "a.b-2.png", "a.b-20.png"]);
  expect(numbered("README", 2)).toBe("README-2");
  expect(numbered("a.png", 21)).toMatch(/^a-[0-9a-z]{6,}\.png$/);
});
