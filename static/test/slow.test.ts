import { createDecoder, hasContent, readVarUint8Array } from "lib0/decoding";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Events } from "../src/words/events.ts";
import { packed } from "../src/words/slow.ts";
import { Ways } from "../src/words/ways.ts";

const text = (data: ArrayBuffer): string => new TextDecoder().decode(data);
const sent = (words: string): Uint8Array => new TextEncoder().encode(words);

test("messages are packed as lib0 writes them", () => {
  const messages = [0, 1, 127, 128, 16_384, 3_000_000].map((length) => new Uint8Array(length).fill(length % 251));
  const decoder = createDecoder(packed(messages));
  for (const message of messages) expect(Buffer.compare(readVarUint8Array(decoder), message)).toBe(0);
  expect(hasContent(decoder)).toBe(false);
});

test("events are whole messages, in whatever pieces they come, and none is taken twice", () => {
  const stream = sent(`:\n\nid: 1\ndata: ${btoa("one")}\n\nid: 2\ndata: ${btoa("")}\n\n:\n\nid: 3\nevent: close\ndata: {"code":4403,"reason":"forbidden: ü"}\n\n`);
  for (let size = 1; size < stream.length; size += 1) {
    const came: unknown[] = [];
    const events = new Events((data) => came.push(text(data)), (code, reason) => came.push([code, reason]));
    events.begin();
    // Cut in the middle, and told again from the last whole one.
    events.feed(stream.slice(0, size));
    events.begin();
    for (let at = 0; at < stream.length; at += size) events.feed(stream.slice(at, at + size));
    expect(came).toEqual(["one", "", [4403, "forbidden: ü"]]);
    expect(events.last).toBe(3);
  }
});

/** The browser's WebSocket, which opens when the test says so. */
class Wire extends EventTarget {
  static readonly CONNECTING: number = 0;
  static readonly OPEN: number = 1;
  static readonly CLOSING: number = 2;
  static readonly CLOSED: number = 3;
  static made: Wire[] = [];
  readyState = 0;

  constructor(readonly url: string) {
    super();
    Wire.made.push(this);
  }

  come(state: number): void {
    this.readyState = state;
    this.dispatchEvent(new Event(state === 1 ? "open" : "close"));
  }

  close(): void {
    if (this.readyState < 3) this.come(3);
  }
}

const URL_ = "ws://127.0.0.1/base/collaboration";
let up: boolean;
let asked: string[];
let ways: Ways;
const back = vi.fn<() => void>();
const open = (): unknown => new ways.open(URL_);
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(10);

beforeEach(() => {
  vi.useFakeTimers();
  [up, asked, Wire.made] = [true, [], []];
  back.mockClear();
  vi.stubGlobal("WebSocket", Wire);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("CloseEvent", Event);
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
  vi.stubGlobal("fetch", (address: string) => {
    asked.push(address);
    return up ? Promise.resolve(new Response(null, { status: address.endsWith("healthz") ? 200 : 503 })) : Promise.reject(new Error("down"));
  });
  ways = new Ways(URL_, "same-origin", back);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the slow way is taken when a WebSocket did not open, the server answered, and the next did not open either", async () => {
  expect(open()).toBe(Wire.made[0]);
  Wire.made[0]?.come(3);
  await settled();
  expect(asked).toEqual(["http://127.0.0.1/base/healthz"]);
  expect(ways.slow).toBe(false);
  expect(open()).toBe(Wire.made[1]);
  // This one is swallowed.
  await vi.advanceTimersByTimeAsync(8000);
  expect(ways.slow).toBe(true);
  open();
  expect(Wire.made.length).toBe(2);
  expect(asked.at(-1)).toBe("http://127.0.0.1/base/transport");
});

test("an answer that comes when the next WebSocket has opened already speaks for no later one", async () => {
  let late: (answer: Response) => void = () => undefined;
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => (late = resolve)));
  open();
  Wire.made[0]?.come(3);
  open();
  Wire.made[1]?.come(1);
  late(new Response(null));
  await settled();
  // The server restarts.
  open();
  Wire.made[2]?.come(3);
  await settled();
  expect(ways.slow).toBe(false);
});

test("a server that is down, or was, is not taken for a network without WebSockets", async () => {
  up = false;
  for (let turn = 0; turn < 3; turn += 1) {
    open();
    Wire.made.at(-1)?.come(3);
    await settled();
  }
  up = true;
  open();
  Wire.made.at(-1)?.come(3);
  await settled();
  open();
  Wire.made.at(-1)?.come(1);
  Wire.made.at(-1)?.come(3);
  await settled();
  open();
  Wire.made.at(-1)?.come(3);
  await settled();
  expect(ways.slow).toBe(false);
});

test("WebSockets are tried again, less and less often, and taken when one opens", async () => {
  ways.slow = true;
  open();
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(Wire.made.length).toBe(1);
  Wire.made[0]?.come(3);
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(Wire.made.length).toBe(1);
  await vi.advanceTimersByTimeAsync(5 * 60_000);
  expect(Wire.made.length).toBe(2);
  Wire.made[1]?.come(1);
  expect(back).toHaveBeenCalledOnce();
  expect(ways.slow).toBe(false);
  expect(Wire.made[1]?.readyState).toBe(3);
});
