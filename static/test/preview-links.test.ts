import { describe, expect, test } from "vitest";

import { isAttached, target } from "../src/preview/links.ts";

describe("links of a document in notes/2026", () => {
  test.each([
    ["b.md", "notes/2026/b.md", ""],
    ["./b.md", "notes/2026/b.md", ""],
    ["../b%20c.md#top", "notes/b c.md", "top"],
    ["../../b.md", "b.md", ""],
    ["/b.md", "b.md", ""],
    ["b.md?plain=1#%C3%BC", "notes/2026/b.md", "ü"],
    ["50%.md", "notes/2026/50%.md", ""],
    ["./a:b.md", "notes/2026/a:b.md", ""],
    ["data", "notes/2026/data", ""],
    ["a//b.md", "notes/2026/a/b.md", ""],
  ])("%j leads to %j", (href, path, anchor) => {
    expect(target(href, "notes/2026")).toEqual({ kind: "document", path, anchor });
  });

  test.each([
    ["..", "notes"],
    ["../", "notes"],
    ["./", "notes/2026"],
    ["sub/", "notes/2026/sub"],
    ["/", ""],
    ["../..", ""],
  ])("%j leads to the folder %j", (href, path) => {
    expect(target(href, "notes/2026")).toEqual({ kind: "folder", path });
  });

  test.each(["../../../b.md", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..%2f..%2f..%2fx", "", "?q", "#"])("%j leads to no document", (href) => {
    expect(["nowhere", "anchor"]).toContain(target(href, "notes/2026").kind);
  });

  test("an anchor is in the same document", () => {
    expect(target("#a%20b", "notes")).toEqual({ kind: "anchor", id: "a b" });
  });

  test.each([
    "https://example.org/x",
    "HTTP://example.org",
    "//example.org",
    "\\\\example.org",
    "/\\example.org",
    "h\nttps://example.org",
    " \u0001https://example.org",
  ])("%j leads outside", (href) => {
    expect(target(href, "").kind).toBe("outside");
  });

  test.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "java\u200bscript:alert(1)",
    "vbscript:x",
    "data:text/html,x",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "blob:http://x/y",
    "file:///etc/passwd",
    "id:abc",
    "about:blank",
    "filesystem:x",
    "view-source:x",
    "https://",
    "http://[",
  ])("%j leads nowhere", (href) => {
    expect(target(href, "")).toEqual({ kind: "nowhere" });
  });

  test("mail is mail", () => {
    expect(target("mailto:a@example.org", "")).toEqual({ kind: "mail", url: "mailto:a@example.org" });
  });
});

test.each([
  ["a.md.assets/b.zip", true],
  ["notes/a.md.assets/b.zip", true],
  ["notes/a.md.assets", false],
  [".assets/b.zip", false],
  ["notes/assets/b.zip", false],
  ["a.md.assets/deep/b.zip", false],
  ["a.md", false],
])("whether %j is attached to a document: %j", (path, attached) => {
  expect(isAttached(path)).toBe(attached);
});
