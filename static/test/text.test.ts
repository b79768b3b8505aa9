// @vitest-environment happy-dom

import { expect, test } from "vitest";
import * as Y from "yjs";

import { plain, plainDelta } from "../src/editor/text.ts";

function withObject(): Y.Text {
  const text = new Y.Doc().getText("content");
  text.insert(0, "one two");
  text.insertEmbed(3, { image: "x" });
  return text;
}

test("what is no character counts as one, so that positions agree with the shared text", () => {
  const text = withObject();
  expect(plain(text)).toBe("one\uFFFC two");
  expect(plain(text).length).toBe(text.length);
});

test("observers after ours see text in place of objects", () => {
  const text = withObject();
  const seen: unknown[] = [];
  text.observe(plainDelta);
  text.observe((event) => seen.push(event.delta));
  text.insertEmbed(0, { image: "y" });
  expect(seen).toEqual([[{ insert: "\uFFFC" }]]);
});
