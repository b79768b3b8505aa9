// @vitest-environment happy-dom
import { EditorView, runScopeHandlers } from "@codemirror/view";
import { EditorState } from "@codemirror/state";
import { afterEach, expect, test, vi } from "vitest";

import { markdown } from "../src/editor/markdown.ts";

afterEach(() => void vi.restoreAllMocks());

test("a list goes on after Enter also when the parser had no time for what was typed just before", () => {
  let now = 0;
  vi.spyOn(Date, "now").mockImplementation(() => (now += 21));
  const state = EditorState.create({ extensions: [markdown()] });
  const view = new EditorView({ state, parent: document.body });
  for (const text of ["words\n\n", "1. one"]) {
    view.dispatch({ changes: { from: view.state.doc.length, insert: text }, selection: { anchor: view.state.doc.length + text.length } });
  }
  runScopeHandlers(view, new KeyboardEvent("keydown", { key: "Enter" }), "editor");
  expect(view.state.doc.toString()).toBe("words\n\n1. one\n2. ");
});
