import { expect, test } from "vitest";

import { access } from "../src/words/access.ts";

const NOBODY = { by: "", application: "", kept: "" } as const;

test("nothing is said while one may write, or never could", () => {
  expect(access({ why: "", ...NOBODY })).toBeNull();
});

test.each(["taken", "file"] as const)("why one may only read is said: %s", (why) => {
  const said = access({ why, ...NOBODY });
  expect(said?.title).not.toBe("");
  expect(said?.text).toHaveLength(1);
});

test("who has the file locked is named as far as that is known", () => {
  const first = (by: string, application: string): string | undefined => access({ why: "locked", by, application, kept: "" })?.text[0];
  expect(first("", "")).toBe("Another application has the file locked.");
  expect(first("Eve", "")).toBe("Eve has the file locked.");
  expect(first("", "Office")).toBe("Office has the file locked.");
  expect(first("Eve", "Office")).toBe("Eve has it open in Office.");
});

test("a copy that was kept is named", () => {
  expect(access({ why: "lost", by: "Eve", application: "Office", kept: "a/b (kept).md" })?.text[2]).toContain("“b (kept).md”");
});
