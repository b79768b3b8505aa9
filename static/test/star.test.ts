// @vitest-environment happy-dom

import { afterEach, expect, test, vi } from "vitest";

import { star } from "../src/editor/star.ts";
import { until } from "./until.ts";

afterEach(() => vi.unstubAllGlobals());

test("a star that is set and taken away within a moment comes to the server in that order, and what is shown is what counts", async () => {
  document.body.innerHTML = '<div id="notes"></div>';
  const asked: { what: string; answer: (status: number) => void }[] = [];
  vi.stubGlobal("fetch", (path: string, { method }: RequestInit) => {
    const json = { headers: { "Content-Type": "application/json" } };
    if (method === "GET") return Promise.resolve(new Response('{"id":"a","starred":false}', json));
    if (path.endsWith("/visit")) return Promise.resolve(new Response(null, { status: 204 }));
    return new Promise<Response>((resolve) => asked.push({ what: method ?? "", answer: (status) => resolve(new Response(null, { status })) }));
  });
  const button = document.createElement("button");
  await star(button, "a.md");
  const shown = (): string | null => button.getAttribute("aria-pressed");
  button.click();
  await until(() => expect(asked.length).toBe(1));
  button.click();
  expect([shown(), asked.length]).toEqual(["false", 1]);
  asked[0]?.answer(204);
  await until(() => expect(asked.map(({ what }) => what)).toEqual(["PUT", "DELETE"]));
  asked[1]?.answer(500);
  await until(() => expect(shown()).toBe("true"));
  button.click();
  button.click();
  await until(() => expect(asked.length).toBe(3));
  asked[2]?.answer(500);
  await until(() => expect(asked.length).toBe(4));
  expect(shown()).toBe("true");
  asked[3]?.answer(204);
});
