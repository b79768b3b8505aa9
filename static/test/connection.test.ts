import { createDecoder, readVarString, readVarUint, readVarUint8Array } from "lib0/decoding";
import { createEncoder, toUint8Array, writeVarString, writeVarUint, writeVarUint8Array, type Encoder } from "lib0/encoding";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";

import { Connection } from "../src/words/connection.ts";
import { words as said } from "../src/words/words.ts";
import { until } from "./until.ts";

const NAME = "notes.md";

/** The browser's WebSocket, of which the test holds the other end. */
class Wire extends EventTarget {
  static readonly CONNECTING: number = 0;
  static readonly OPEN: number = 1;
  static readonly CLOSING: number = 2;
  static readonly CLOSED: number = 3;
  static readonly all: Wire[] = [];
  readyState = 0;
  binaryType = "";
  readonly sent: Uint8Array[] = [];
  /** What the page calls the document on this connection. */
  name = NAME;

  constructor(readonly url: string) {
    super();
    Wire.all.push(this);
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.drop(1005);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  drop(code: number, reason = ""): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  say(write: (encoder: Encoder) => void): void {
    const encoder = createEncoder();
    writeVarString(encoder, this.name);
    write(encoder);
    this.dispatchEvent(new MessageEvent("message", { data: toUint8Array(encoder).slice().buffer }));
  }
}

/** What the server says, as in the protocol's table. */
const authenticated = (scope = "read-write") => (encoder: Encoder): void => {
  writeVarUint(encoder, 2);
  writeVarUint(encoder, 2);
  writeVarString(encoder, scope);
};
const denied = (reason: string) => (encoder: Encoder): void => {
  writeVarUint(encoder, 2);
  writeVarUint(encoder, 1);
  writeVarString(encoder, reason);
};
const sync = (step: number, body: Uint8Array) => (encoder: Encoder): void => {
  writeVarUint(encoder, 0);
  writeVarUint(encoder, step);
  writeVarUint8Array(encoder, body);
};
const status = (applied: number) => (encoder: Encoder): void => {
  writeVarUint(encoder, 8);
  writeVarUint(encoder, applied);
};
const state = (report: object) => (encoder: Encoder): void => {
  writeVarUint(encoder, 5);
  writeVarString(encoder, `collab:state ${JSON.stringify({ version: "1", owed: 0, path: NAME, ...report })}`);
};
const closed = (reason: string) => (encoder: Encoder): void => {
  writeVarUint(encoder, 7);
  writeVarString(encoder, reason);
};

/** The sync messages that the page sent: their step and body. */
function syncs(wire: Wire): { step: number; body: Uint8Array }[] {
  return wire.sent.flatMap((frame) => {
    const decoder = createDecoder(frame);
    readVarString(decoder);
    return readVarUint(decoder) === 0 ? [{ step: readVarUint(decoder), body: readVarUint8Array(decoder) }] : [];
  });
}

function greetings(wire: Wire): number {
  const text = new TextDecoder();
  return wire.sent.filter((frame) => text.decode(frame).includes("collab:hello ")).length;
}

let connection: Connection;
let refusedFor: string[];
let storings: number;
let server: Y.Doc;

const last = (): Wire => Wire.all[Wire.all.length - 1] as Wire;
const shown = (): string => said(connection.facts, { made: 0, kept: 0, broken: false }, () => "now").state;

/** The server's part of a handshake; the page's sync step 2 is not acknowledged yet. */
async function greet(wire: Wire): Promise<void> {
  wire.open();
  await until(() => expect(syncs(wire).some(({ step }) => step === 0)).toBe(true));
  wire.say(authenticated());
  wire.say(sync(1, Y.encodeStateAsUpdate(server)));
  wire.say(sync(0, Y.encodeStateVector(server)));
}

/** The socket after the one that was lost. */
async function next(former: Wire): Promise<Wire> {
  // Step by step: who does not open it in time waits for the one after it.
  for (let step = 0; last() === former && step < 60; step += 1) await vi.advanceTimersByTimeAsync(500);
  expect(last()).not.toBe(former);
  return last();
}

beforeEach(() => {
  vi.stubGlobal("fetch", () => Promise.reject(new Error("offline")));
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal("WebSocket", Wire);
  vi.stubGlobal("navigator", { onLine: true });
  refusedFor = [];
  storings = 0;
  server = new Y.Doc();
  server.getText("content").insert(0, "old ");
  const nothing = (): void => undefined;
  connection = new Connection("ws://127.0.0.1/collaboration", NAME, "1", {
    changed: nothing,
    opened: nothing,
    refused: (reason) => refusedFor.push(reason),
    admitted: nothing,
    made: nothing,
    stored: () => (storings += 1),
  });
});

afterEach(() => {
  connection.provider.configuration.websocketProvider.destroy();
  connection.provider.destroy();
  Wire.all.length = 0;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a word goes from local to stored to in the file", async () => {
  await greet(last());
  last().say(status(1));
  last().say(state({ file: "saved" }));
  expect(shown()).toBe("in-file");
  connection.text.insert(4, "new");
  expect(shown()).toBe("local");
  last().say(state({ file: "pending", owed: 1 }));
  expect(shown()).toBe("received");
  last().say(status(1));
  expect(shown()).toBe("stored");
  last().say(state({ file: "saved" }));
  expect(shown()).toBe("in-file");
});

test("words typed offline are sent once and count as stored only when their own message is acknowledged", async () => {
  const first = last();
  await greet(first);
  first.say(status(1));
  first.drop(1006);
  for (const letter of "abc") connection.text.insert(0, letter);
  expect(shown()).toBe("offline");
  const second = await next(first);
  await greet(second);
  const changes = syncs(second).filter(({ step }) => step > 0);
  expect(changes.length).toBe(1);
  for (const { body } of changes) Y.applyUpdate(server, body);
  expect(server.getText("content").toString()).toBe("cbaold ");
  expect(shown()).toBe("local");
  second.say(status(1));
  expect(shown()).toBe("stored");
});

test("a report that was sent before my words arrived does not call them saved, and is asked for again", async () => {
  await greet(last());
  last().say(status(1));
  connection.text.insert(0, "new ");
  last().say(state({ file: "saved" }));
  const before = greetings(last());
  last().say(status(1));
  expect(shown()).toBe("stored");
  expect(greetings(last())).toBe(before + 1);
});

test("what an earlier page made counts as stored only when the server has said so, whether it knew it or not", async () => {
  await greet(last());
  last().say(status(1));
  expect(storings).toBe(1);
  const earlier = new Y.Doc();
  Y.applyUpdate(earlier, Y.encodeStateAsUpdate(server));
  earlier.getText("content").insert(0, "earlier ");
  const update = Y.encodeStateAsUpdate(earlier, Y.encodeStateVector(server));
  for (const [edits, stored] of [[1, 2], [0, 3]]) {
    connection.bring(update);
    expect(connection.facts).toMatchObject({ edits, unsynced: 1 });
    expect(syncs(last()).at(-1)?.body).toEqual(update);
    expect(storings).toBe((stored ?? 0) - 1);
    last().say(status(1));
    expect(storings).toBe(stored);
  }
  expect(connection.text.toString()).toBe("earlier old ");
});

/** A notebook on the server with one cell, somebody's words for it that were never sent, and the cell moved since: the old one is garbage. */
function movedCell(): Uint8Array {
  const cell = (words: string): Y.Map<unknown> => new Y.Map(Object.entries({ id: "one", cell_type: "code", source: new Y.Text(words) }));
  server.getMap("collab").set("format", "notebook");
  const cells = server.getArray<Y.Map<unknown>>("cells");
  cells.insert(0, [cell("source")]);
  const earlier = new Y.Doc();
  Y.applyUpdate(earlier, Y.encodeStateAsUpdate(server));
  const known = Y.encodeStateVector(earlier);
  (earlier.getArray<Y.Map<unknown>>("cells").get(0).get("source") as Y.Text).insert(6, " typed");
  cells.delete(0);
  cells.insert(0, [cell("source")]);
  return Y.encodeStateAsUpdate(earlier, known);
}

test("words of an earlier page for a cell that was moved are sent again when the connection breaks before they are stored", async () => {
  const first = last();
  const update = movedCell();
  await greet(first);
  first.say(status(1));
  connection.bring(update);
  first.drop(1006);
  const second = await next(first);
  await greet(second);
  const changes = syncs(second).filter(({ step }) => step > 0);
  // Before what this page makes of them: whoever has heard that it is garbage takes no words for it any more.
  expect(changes[0]?.body).toEqual(update);
  for (const _ of changes) {
    expect(connection.facts.edits).toBeGreaterThan(0);
    second.say(status(1));
  }
  expect(connection.facts).toMatchObject({ edits: 0, unsynced: 0 });
  second.drop(1006);
  const third = await next(second);
  await greet(third);
  expect(syncs(third).filter(({ step, body }) => step > 0 && body.length === update.length)).toEqual([]);
});

test("changes that the server refuses are told", async () => {
  await greet(last());
  last().say(status(1));
  connection.text.insert(0, "x");
  last().say(status(0));
  expect(shown()).toBe("refused");
});

test.each(["lineage", "forbidden", "unauthorized"])("whoever is sent off for good stays away (%s)", async (reason) => {
  for (const refusal of [denied(reason), closed(reason)]) {
    refusedFor = [];
    const former = last();
    if (former.readyState === 0) await greet(former);
    else {
      connection.retry();
      await greet(await next(former));
    }
    const wires = Wire.all.length;
    last().say(refusal);
    connection.text.insert(0, "x");
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(refusedFor).toEqual([reason]);
    expect(Wire.all.length).toBe(wires);
    expect(shown()).toBe("refused");
  }
});

test.each([[4404, "not-found"], [4403, "forbidden"], [4401, "unauthorized"]])("a close code of the socket ends the connection too (%d)", async (code, reason) => {
  await greet(last());
  const wires = Wire.all.length;
  last().drop(code, "gone");
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(refusedFor).toEqual([reason]);
  expect(Wire.all.length).toBe(wires);
});

test("a refused page comes back when the person tries again, with the words typed meanwhile", async () => {
  const first = last();
  await greet(first);
  first.say(status(1));
  first.say(denied("unauthorized"));
  connection.text.insert(0, "meanwhile ");
  connection.retry();
  const second = await next(first);
  await greet(second);
  for (const { body } of syncs(second).filter(({ step }) => step > 0)) Y.applyUpdate(server, body);
  second.say(status(1));
  expect(shown()).toBe("stored");
  expect(server.getText("content").toString()).toBe("meanwhile old ");
});

test.each([denied("too-many"), closed("draining")])("a refusal that passes brings the page back by itself, after a pause (%#)", async (refusal) => {
  const first = last();
  await greet(first);
  first.say(refusal);
  expect(last()).toBe(first);
  expect(shown()).toBe("offline");
  await next(first);
  expect(refusedFor).toEqual([]);
});

test("after a rename the page comes back by the name that stays", async () => {
  const first = last();
  await greet(first);
  first.say(state({ file: "saved", path: "moved.md", id: "id:abcdefghijklmnopqrstuvwxyz" }));
  first.drop(1006);
  const second = await next(first);
  second.open();
  await until(() => expect(second.sent.length).toBeGreaterThan(0));
  expect(readVarString(createDecoder(second.sent[0] as Uint8Array))).toBe("id:abcdefghijklmnopqrstuvwxyz");
});

test("an id that the server does not know is tried as a path once, and then the document is not found", async () => {
  const first = last();
  await greet(first);
  first.say(state({ file: "saved", path: "moved.md", id: "id:abcdefghijklmnopqrstuvwxyz" }));
  first.drop(1006);
  const second = await next(first);
  second.name = "id:abcdefghijklmnopqrstuvwxyz";
  second.open();
  await until(() => expect(second.sent.length).toBeGreaterThan(0));
  second.say(denied("not-found"));
  const third = await next(second);
  third.name = "moved.md";
  third.open();
  await until(() => expect(third.sent.length).toBeGreaterThan(0));
  expect(readVarString(createDecoder(third.sent[0] as Uint8Array))).toBe("moved.md");
  expect(refusedFor).toEqual([]);
  third.say(denied("not-found"));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(refusedFor).toEqual(["not-found"]);
  expect(last()).toBe(third);
});

test("a page that was let in by its path comes back by its id again, so that a later rename does not lock it out", async () => {
  const first = last();
  const id = "id:abcdefghijklmnopqrstuvwxyz";
  await greet(first);
  first.say(state({ file: "saved", path: NAME, id }));
  first.drop(1006);
  const second = await next(first);
  second.name = id;
  second.open();
  await until(() => expect(second.sent.length).toBeGreaterThan(0));
  second.say(denied("not-found"));
  const third = await next(second);
  await greet(third);
  third.say(state({ file: "saved", path: NAME, id }));
  third.drop(1006);
  const fourth = await next(third);
  fourth.open();
  await until(() => expect(fourth.sent.length).toBeGreaterThan(0));
  expect(readVarString(createDecoder(fourth.sent[0] as Uint8Array))).toBe(id);
});

test("a viewer may not type", async () => {
  last().open();
  last().say(authenticated("readonly"));
  expect(connection.facts.readOnly).toBe(true);
});

test("without a network, waiting words are called offline although the socket does not know yet", async () => {
  await greet(last());
  last().say(status(1));
  vi.stubGlobal("navigator", { onLine: false });
  connection.text.insert(0, "x");
  expect(shown()).toBe("local");
  await vi.advanceTimersByTimeAsync(2_500);
  expect(shown()).toBe("offline");
});

test("the server gets the token of the moment, at first and when it asks for a new one", async () => {
  const tokens = (wire: Wire): string[] =>
    wire.sent.flatMap((frame) => {
      const decoder = createDecoder(frame);
      readVarString(decoder);
      return readVarUint(decoder) === 2 && readVarUint(decoder) === 0 ? [readVarString(decoder)] : [];
    });
  await greet(last());
  expect(tokens(last())).toEqual(["cookie"]);
  const first = last();
  first.say(state({ file: "saved", person: "name:ann" }));
  first.drop(1006);
  await greet(await next(first));
  // Words of one person shall not be sent in another's name, whoever is signed in by now.
  expect(tokens(last())).toEqual(["cookie:name:ann"]);

  let token = "first";
  const nothing = (): void => undefined;
  const watcher = { changed: nothing, opened: nothing, refused: nothing, admitted: nothing, made: nothing, stored: nothing };
  const framed = new Connection("ws://127.0.0.1/collaboration", NAME, "1", watcher, () => token);
  await greet(last());
  expect(tokens(last())).toEqual(["first"]);
  token = "second";
  last().say((encoder) => {
    writeVarUint(encoder, 2);
    writeVarUint(encoder, 0);
  });
  await until(() => expect(tokens(last())).toEqual(["first", "second"]));
  framed.provider.configuration.websocketProvider.destroy();
  framed.provider.destroy();
});

test("what was not taken is said again by whoever may write again", async () => {
  await greet(last());
  last().say(status(1));
  last().say(state({ writable: false, why: "taken" }));
  connection.text.insert(0, "x");
  last().say(status(0));
  expect(connection.facts).toMatchObject({ refused: true, readOnly: true });
  const former = last();
  former.say(state({ writable: true }));
  const wire = await next(former);
  await greet(wire);
  expect(syncs(wire).some(({ step, body }) => step === 1 && new TextDecoder().decode(body).includes("x"))).toBe(true);
  expect(connection.facts).toMatchObject({ refused: false, readOnly: false });
});

/** A server of the slow way: what the page asks for, and a stream of events that the test fills. */
class Posts {
  readonly asked: string[] = [];
  readonly wire = new Wire("");
  private stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  private event = 0;

  constructor() {
    // What the wire would have told the page goes into the stream.
    this.wire.dispatchEvent = (event) => this.tell(new Uint8Array((event as MessageEvent<ArrayBuffer>).data));
  }

  readonly fetch = async (address: string, init?: RequestInit): Promise<Response> => {
    const method = init?.method ?? "GET";
    this.asked.push(`${method} ${new URL(address).pathname}`);
    if (method === "GET") return new Response(new ReadableStream({ start: (stream) => void this.begin(stream) }));
    if (init?.body instanceof Uint8Array) {
      const decoder = createDecoder(init.body);
      while (decoder.pos < init.body.length) this.wire.sent.push(readVarUint8Array(decoder));
    }
    return init?.body === undefined && method === "POST" ? Response.json({ id: "one", key: "key" }, { status: 201 }) : new Response(null, { status: 204 });
  };

  private begin(stream: ReadableStreamDefaultController<Uint8Array>): void {
    this.stream = stream;
    stream.enqueue(new TextEncoder().encode(":\n\n"));
  }

  private tell(message: Uint8Array): boolean {
    this.event += 1;
    this.stream?.enqueue(new TextEncoder().encode(`id: ${this.event}\ndata: ${btoa(String.fromCharCode(...message))}\n\n`));
    return true;
  }
}

test.each(["forbidden", "unauthorized"])("whoever is sent off on the slow way stays away, also when WebSockets get through (%s)", async (reason) => {
  connection.provider.configuration.websocketProvider.destroy();
  connection.provider.destroy();
  const posts = new Posts();
  vi.stubGlobal("fetch", posts.fetch);
  vi.stubGlobal("sessionStorage", { getItem: () => "1", setItem: () => undefined, removeItem: () => undefined });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("removeEventListener", () => undefined);
  vi.stubGlobal("CloseEvent", function (kind: string, facts: CloseEventInit) {
    return Object.assign(new Event(kind), facts);
  });
  Wire.all.length = 0;
  const nothing = (): void => undefined;
  const watcher = { changed: nothing, opened: nothing, refused: (why: string) => refusedFor.push(why), admitted: nothing, made: nothing, stored: nothing };
  connection = new Connection("ws://127.0.0.1/collaboration", NAME, "1", watcher);
  await vi.waitFor(() => expect(syncs(posts.wire).some(({ step }) => step === 0)).toBe(true));
  posts.wire.say(authenticated());
  posts.wire.say(sync(1, Y.encodeStateAsUpdate(server)));
  await vi.waitFor(() => expect(connection.facts).toMatchObject({ link: "open", slow: true }));

  posts.wire.say(denied(reason));
  await vi.waitFor(() => expect(refusedFor).toEqual([reason]));
  const { length } = posts.asked;
  connection.text.insert(0, "x");
  // Of the tries whether WebSockets get through, one does.
  for (let tries = 0; Wire.all.length === 0 && tries < 720; tries += 1) await vi.advanceTimersByTimeAsync(5000);
  expect(posts.asked.slice(length).filter((each) => each !== "DELETE /transport/one")).toEqual([]);
  last().open();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(refusedFor).toEqual([reason]);
  expect(connection.facts.link).toBe("ended");
  expect(posts.asked.filter((each) => each === "POST /transport").length).toBe(1);
  expect(Wire.all.map(({ readyState }) => readyState)).toEqual([3]);
});
