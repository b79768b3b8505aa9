import { describe, expect, it } from "vitest";

import { colors } from "../src/diagram/colors.ts";
import { faultOf, LONGEST, writtenLine } from "../src/diagram/faults.ts";
import { Recent } from "../src/diagram/recent.ts";
import { replyIn } from "../src/diagram/talk.ts";

describe("a fault", () => {
  it("names the line of the source that the program counted without front matter and comments", () => {
    const source = "---\ntitle: T\n---\n%% comment\nflowchart TD\n  A --> B\n  %% another\n  B --> [[";
    expect(writtenLine(source, 1)).toBe(5);
    expect(writtenLine(source, 3)).toBe(8);
    expect(faultOf(new Error("Parse error on line 3:\n... B --> [[\n-----^\nExpecting 'A', got 'B'"), source)).toEqual({
      kind: "syntax",
      line: 8,
      words: "Expecting 'A', got 'B'",
    });
  });

  it("tells sources that are empty, too large or of no known kind from those that are wrong", () => {
    expect(faultOf(new Error("x"), " \n").kind).toBe("empty");
    expect(faultOf(new Error("x"), "a".repeat(LONGEST + 1)).kind).toBe("large");
    const unknown = new Error("No diagram type detected matching given configuration for text: hello");
    expect(faultOf(unknown, "hello\nyou")).toEqual({ kind: "kind", line: 0, words: "hello" });
    expect(faultOf("odd", "flowchart TD").kind).toBe("other");
  });
});

describe("what the frame says", () => {
  it("is taken only in the form that was agreed", () => {
    const picture = { svg: "<svg/>", width: 10, height: 20, title: "" };
    expect(replyIn({ kind: "picture", nonce: "1", picture })).toEqual({ kind: "picture", nonce: "1", picture });
    const odd = { kind: "picture", nonce: "1", picture: { ...picture, width: "10" } };
    const wrong = [null, "ready", {}, { kind: "picture", nonce: 1, picture }, odd, { kind: "else", nonce: "1" }];
    expect(wrong.map(replyIn)).toEqual(wrong.map(() => null));
    const fault = { kind: "other", line: 0, words: "" };
    expect(replyIn({ kind: "fault", nonce: "1", fault: { kind: "evil", line: -1 } })).toEqual({ kind: "fault", nonce: "1", fault });
  });
});

describe("what was used last", () => {
  it("is kept, and what was not is forgotten", () => {
    const recent = new Recent<number>(2);
    recent.set("a", 1);
    recent.set("b", 2);
    expect(recent.get("a")).toBe(1);
    recent.set("c", 3);
    expect([recent.get("a"), recent.get("b"), recent.get("c")]).toEqual([1, undefined, 3]);
  });
});

/** Relative luminance (WCAG 2.2). */
function luminance(color: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = channels.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: unknown, other: unknown): number {
  const [light = 0, dark = 0] = [luminance(String(one)), luminance(String(other))].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

describe.each([false, true])("colours of diagrams, dark: %s", (dark) => {
  const all = colors(dark);
  const numbers = Array.from({ length: 8 }, (_, index) => index);
  const pairs: [string, string][] = [
    ["primaryTextColor", "primaryColor"],
    ["textColor", "background"],
    ["noteTextColor", "noteBkgColor"],
    ["taskTextColor", "activeTaskBkgColor"],
    ["taskTextColor", "critBkgColor"],
    ["taskTextColor", "doneTaskBkgColor"],
    ...numbers.map((n): [string, string] => ["pieSectionTextColor", `pie${n + 1}`]),
    ...numbers.map((n): [string, string] => [`cScaleLabel${n}`, `cScale${n}`]),
    ...numbers.map((n): [string, string] => [`gitBranchLabel${n}`, `git${n}`]),
  ];

  it.each(pairs)("%s is readable on %s", (text, paper) => {
    expect(contrast(all[text], all[paper])).toBeGreaterThanOrEqual(4.5);
  });
});
