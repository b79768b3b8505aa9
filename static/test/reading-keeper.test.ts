// @vitest-environment happy-dom

/** What the device keeps of pages for readers. */

import { beforeAll, beforeEach, expect, test, vi } from "vitest";

import { signOut } from "../src/base/api.ts";
import { until } from "./until.ts";

const PAGE = "https://collab.example.org/v/notes.md";

/** The browser's caches, as far as they are used. */
const kept = new Map<string, Map<string, Response>>();
const caches = {
  keys: async () => [...kept.keys()],
  has: async (name: string) => kept.has(name),
  delete: async (name: string) => kept.delete(name),
  open: async (name: string) => {
    const pages = kept.get(name) ?? new Map<string, Response>();
    kept.set(name, pages);
    return { keys: async () => [...pages.keys()], match: async (key: string) => pages.get(key), put: async (key: string, page: Response) => void pages.set(key, page) };
  },
};

let asked: { method: string; answer: (said: Response) => void }[] = [];
let worker: (event: object) => void;

beforeAll(async () => {
  vi.stubGlobal("caches", caches);
  vi.stubGlobal("fetch", (what: Request | string, how: RequestInit = {}) => {
    return new Promise<Response>((answer) => asked.push({ method: typeof what === "string" ? (how.method ?? "GET") : what.method, answer }));
  });
  vi.stubGlobal("registration", { scope: "https://collab.example.org/v/" });
  vi.stubGlobal("addEventListener", (kind: string, listener: typeof worker) => kind === "fetch" && (worker = listener));
  // A script, and no module.
  await vi.importActual("../src/reading/keeper.ts");
});
beforeEach(() => {
  kept.clear();
  asked = [];
});

function visit(): Promise<Response> {
  return new Promise((resolve) => worker({ request: new Request(PAGE, { headers: { Accept: "text/html" } }), respondWith: resolve }));
}
const page = (): Response => new Response("words", { headers: { "X-Collab-Person": "ann" } });
const documents = (): string[] => [...kept.keys()].filter((name) => name.startsWith("collab-reading "));

test("a page that is on its way while its reader signs out is not kept", async () => {
  const first = visit();
  await until(() => expect(asked.length).toBe(1));
  asked[0]?.answer(page());
  await first;
  expect(documents()).toEqual(["collab-reading ann /v/notes.md"]);
  const second = visit();
  await until(() => expect(asked.length).toBe(2));
  const out = signOut();
  await until(() => expect(asked[2]?.method).toBe("DELETE"));
  asked[2]?.answer(new Response(null, { status: 204 }));
  await out;
  expect(documents()).toEqual([]);
  asked[1]?.answer(page());
  expect(await (await second).text()).toBe("words");
  expect(documents()).toEqual([]);
});

test("a page that is visited after somebody signed out is kept", async () => {
  const out = signOut();
  await until(() => expect(asked[0]?.method).toBe("DELETE"));
  asked[0]?.answer(new Response(null, { status: 204 }));
  await out;
  const before = Date.now();
  await until(() => expect(Date.now()).toBeGreaterThan(before));
  const visited = visit();
  await until(() => expect(asked.length).toBe(2));
  asked[1]?.answer(page());
  await visited;
  expect(documents()).toEqual(["collab-reading ann /v/notes.md"]);
});
