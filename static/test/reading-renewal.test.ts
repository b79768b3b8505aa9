// @vitest-environment happy-dom

/** A page for readers that is renewed over a slow network. */

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

const BYTES = new TextEncoder();
const WHOLE = ['<body data-version="2" data-path="notes.md"><header id="bar"></header>', '<main id="document"><article id="body">new', " words</article></main></body>"];

/** An answer that comes in pieces. */
class Slow {
  private at: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly body: ReadableStream<Uint8Array>;

  constructor(private readonly signal: AbortSignal | null | undefined) {
    this.body = new ReadableStream({ start: (at) => void (this.at = at) });
    signal?.addEventListener("abort", () => this.at?.error(signal.reason));
  }

  say(words: string): void {
    if (this.signal?.aborted !== true) this.at?.enqueue(BYTES.encode(words));
  }

  end(): void {
    if (this.signal?.aborted !== true) this.at?.close();
  }
}

interface Asked {
  accept: string;
  signal: AbortSignal;
  answer: () => Slow;
}
let asked: Asked[] = [];
const of = (accept: string): Asked[] => asked.filter((each) => each.accept === accept);

beforeAll(() => {
  vi.stubGlobal("fetch", (_: string, { headers, signal }: { headers?: Record<string, string>; signal?: AbortSignal | null } = {}) => {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
      const answer = (): Slow => {
        const slow = new Slow(signal);
        resolve({ ok: true, status: 200, body: slow.body, text: () => new Response(slow.body).text() });
        return slow;
      };
      asked.push({ accept: headers?.["Accept"] ?? "", signal: signal ?? new AbortController().signal, answer });
    });
  });
  vi.stubGlobal("scrollTo", () => undefined);
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  asked = [];
  document.body.innerHTML = '<header id="bar"><p id="live"></p></header><main id="document"><article id="body">old words</article></main>';
  Object.assign(document.body.dataset, { version: "1", path: "notes.md", id: "one" });
  vi.resetModules();
  await import("../src/reading/reader.ts");
});
afterEach(() => {
  dispatchEvent(new Event("offline"));
  vi.useRealTimers();
});

/** Real milliseconds do not count here: what is on its way in the page comes first. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

async function pass(seconds: number): Promise<void> {
  await settled();
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  await settled();
}

async function told(): Promise<void> {
  const before = of("text/html").length;
  const stream = of("text/event-stream").at(-1)?.answer();
  await settled();
  stream?.say("event: reload\ndata: {}\n\n");
  await settled();
  expect(of("text/html").length).toBe(before + 1);
}
const shown = (): string => document.getElementById("body")?.textContent ?? "";

test("a renewal goes on as long as something of it comes", async () => {
  await told();
  const page = of("text/html")[0]?.answer();
  for (const piece of WHOLE) {
    page?.say(piece);
    await pass(30);
  }
  page?.end();
  await settled();
  expect(shown()).toBe("new words");
  expect(of("text/html")[0]?.signal.aborted).toBe(false);
});

test("a renewal that comes all at once is waited for longer after it was given up", async () => {
  await told();
  await pass(41);
  expect(of("text/html")[0]?.signal.aborted).toBe(true);
  await pass(5);
  expect(of("text/event-stream").length).toBe(2);
  await told();
  await pass(70);
  const page = of("text/html")[1]?.answer();
  WHOLE.forEach((piece) => page?.say(piece));
  page?.end();
  await settled();
  expect(shown()).toBe("new words");
});
