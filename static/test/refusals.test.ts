import { expect, test } from "vitest";

import { backOff, blames, inContext, inFrame, reasonOfClose, refusal, type Refusal } from "../src/words/refusals.ts";
import { step } from "../src/words/versions.ts";
import { bytes, moment } from "../src/base/show.ts";

test.each(["unauthorized", "forbidden", "not-found", "lineage", "equivocation", "not-text", "too-large", "malformed", "withdrawn"])(
  "%s is told in words and with something to do",
  (reason) => {
    const said = refusal(reason);
    expect(said?.text).toMatch(/\.$/);
    expect(said?.remedies.length).toBeGreaterThan(0);
  },
);

test.each(["too-many", "unavailable", "draining", "error", "", "constructor"])("%s passes: the page comes back later", (reason) => {
  expect(refusal(reason)).toBeNull();
});

test("who holds another history is never invited to try again with it", () => {
  expect(refusal("equivocation")?.remedies).toEqual(["copy", "unsent", "reload"]);
  expect(refusal("lineage")?.remedies).toEqual(["join", "copy", "unsent", "reload"]);
});

test("in a frame of another site nobody is sent to pages that are not shown there", () => {
  for (const reason of ["unauthorized", "forbidden", "not-found", "lineage", "too-large"]) {
    const { remedies, text } = inFrame(reason, refusal(reason) as Refusal);
    expect(remedies).not.toContain("sign-in");
    expect(remedies).not.toContain("files");
    expect(remedies.length).toBeGreaterThan(0);
    expect(text).not.toContain("Sign in again");
  }
});

test("close codes 44xx are final, the others pass", () => {
  expect([4400, 4401, 4403, 4404, 4409, 4413, 4415].map((code) => reasonOfClose(code, ""))).not.toContain(null);
  expect([1000, 1001, 1006, 1011, 1013, 4205, 4408, 4500].map((code) => reasonOfClose(code, ""))).toEqual(Array(8).fill(null));
  expect(reasonOfClose(4409, "equivocation")).toBe("equivocation");
  expect(reasonOfClose(4409, "equivocation: another text is known")).toBe("equivocation");
});

test("a document that my words make too large is another matter than one that is too large to open", () => {
  expect(inContext("too-large", { open: true, edits: 3 })).toBe("grown");
  expect(inContext("too-large", { open: true, edits: 0 })).toBe("too-large");
  expect(inContext("too-large", { open: false, edits: 0 })).toBe("too-large");
  expect(inContext("lineage", { open: true, edits: 3 })).toBe("lineage");
});

test("access that is taken away is another matter than a document that was never open", () => {
  expect(inContext("forbidden", { open: true, edits: 0 })).toBe("withdrawn");
  expect(inContext("forbidden", { open: false, edits: 0 })).toBe("forbidden");
  expect(blames("withdrawn")).toBe(false);
});

test("only words that were refused themselves are not sent again unasked", () => {
  expect(["grown", "equivocation", "malformed"].map(blames)).toEqual([true, true, true]);
  expect(["unauthorized", "forbidden", "not-found", "lineage", "too-large", "denied"].map(blames)).toEqual(Array(6).fill(false));
});

test("the pauses grow to a minute and never come down to nothing", () => {
  expect([0, 1, 2, 3, 9, 99].map((refusals) => backOff(refusals, 0))).toEqual([1, 2, 4, 8, 30, 30]);
  expect(backOff(99, 0.999)).toBeLessThan(60);
});

function memory(): Pick<Storage, "getItem" | "setItem"> {
  const held = new Map<string, string>();
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => void held.set(key, value) };
}

test("the page reloads once for a new version, when nothing is unsynced, and never in a loop", () => {
  const held = memory();
  expect(step("1", "1", false, held)).toBe("none");
  expect(step("1", "", false, held)).toBe("none");
  expect(step("1", "2", true, held)).toBe("wait");
  expect(step("1", "2", false, held)).toBe("reload");
  expect(step("1", "2", false, held)).toBe("tell");
  expect(step("1", "3", false, held)).toBe("reload");
  expect(step("1", "2", false, null)).toBe("tell");
});

test("sizes are short", () => {
  expect([0, 999, 1000, 1536, 999_949, 999_999, 16_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "1.5 kB", "1.0 MB", "1.0 MB", "16 MB"]);
});

test("a time may be RFC 3339 or seconds", () => {
  expect(moment("2026-11-22T14:05:00Z").iso).toBe(moment(Date.UTC(2026, 10, 22, 14, 5) / 1000).iso);
  expect(moment("never").short).toBe("");
});
