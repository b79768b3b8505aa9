// @vitest-environment happy-dom

/** What the device keeps of pages for readers. */

import { beforeAll, beforeEach, expect, test, vi } from "vitest";

import { signOut } from "../src/base/api.ts";
import { until } from "./until.ts";

const PAGE = "https://collab.example.org/v/notes.md";

const PICTURE = "https://collab.example.org/api/documents/logo.png/content";

/** There is room for nothing more beside what is there. */
let full = false;
/** The browser's caches, as far as they are used. */
const kept = new Map<string, Map<string, Response>>();
const caches = {
  keys: async () => [...kept.keys()],
  has: async (name: string) => kept.has(name),
  delete: async (name: string) => kept.delete(name),
  open: async (name: string) => {
    if (full && !kept.has(name) && kept.size > 0) throw new DOMException("Full.", "QuotaExceededError");
    const pages = kept.get(name) ?? new Map<string, Response>();
    kept.set(name, pages);
    return { keys: async () => [...pages.keys()], match: async (key: string) => pages.get(key), put: async (key: string, page: Response) => void pages.set(key, page) };
  },
};

let asked: { method: string; answer: (said: Response) => void }[] = [];
/** What goes on behind the answers. */
let working: Promise<unknown>[] = [];
let worker: (event: object) => void;

beforeAll(async () => {
  vi.stubGlobal("caches", caches);
  vi.stubGlobal("fetch", (what: Request | string, how: RequestInit = {}) => {
    return new Promise<Response>((answer) => asked.push({ method: typeof what === "string" ? (how.method ?? "GET") : what.method, answer }));
  });
  vi.stubGlobal("clients", { get: async () => ({ url: PAGE }) });
  vi.stubGlobal("registration", { scope: "https://collab.example.org/v/" });
  vi.stubGlobal("addEventListener", (kind: string, listener: typeof worker) => kind === "fetch" && (worker = listener));
  // A script, and no module.
  await vi.importActual("../src/reading/keeper.ts");
});
beforeEach(() => {
  kept.clear();
  asked = [];
  full = false;
  working = [];
});

function visit(): Promise<Response> {
  return new Promise((resolve) => worker({ request: new Request(PAGE, { headers: { Accept: "text/html" } }), respondWith: resolve }));
}
function look(): Promise<Response> {
  const request = new Request(PICTURE);
  return new Promise((resolve) => worker({ request, clientId: "one", respondWith: resolve, waitUntil: (work: Promise<unknown>) => void working.push(work) }));
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

test("on a full device what was kept goes, too, when its reader signs out", async () => {
  kept.set("collab-reading ann /v/notes.md", new Map());
  full = true;
  const out = signOut();
  await until(() => expect(asked[0]?.method).toBe("DELETE"));
  asked[0]?.answer(new Response(null, { status: 204 }));
  await out;
  expect(documents()).toEqual([]);
  // What is on its way is told now that there is room.
  expect([...kept.keys()]).toEqual([expect.stringMatching(/^collab-left /)]);
});

test("who signed out while the clock was ahead has signed out by now", async () => {
  kept.set(`collab-left ${Date.now() + 3_600_000}`, new Map());
  const visited = visit();
  await until(() => expect(asked.length).toBe(1));
  asked[0]?.answer(page());
  await visited;
  expect(documents()).toEqual(["collab-reading ann /v/notes.md"]);
});

test("a picture is read for the device only when it is whole and its page is kept", async () => {
  for (const [has, status, keeps] of [[false, 200, false], [true, 206, false], [true, 200, true]] as const) {
    const pages = new Map<string, Response>();
    kept.clear();
    if (has) kept.set("collab-reading ann /v/notes.md", pages);
    [asked, working] = [[], []];
    const seen = look();
    await until(() => expect(asked.length).toBe(1));
    const answer = new Response("picture", { status });
    const copied = vi.spyOn(answer, "clone");
    asked[0]?.answer(answer);
    expect(await (await seen).text()).toBe("picture");
    await Promise.all(working);
    expect([copied.mock.calls.length > 0, pages.has(PICTURE)]).toEqual([keeps, keeps]);
  }
});
