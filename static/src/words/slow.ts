/** The WebSocket's interface over plain HTTP, for networks that let no WebSocket through: messages come as server-sent events and go in POSTs. */

import { Events } from "./events.ts";

/** Milliseconds until the beginning of a stream has to arrive; what comes later is held back by somebody between us and the server. */
const FIRST = 3000;
/** Milliseconds without a word after which a stream is given up; the server says something every 15 s. */
const SILENT = 40_000;
/** Milliseconds for which a connection that was cut is taken up again: the server waits for 15 s. */
const CUT = 15_000;
/** Bytes of messages in one POST, about, and how many there are. */
const BATCH = 64 * 1024;
const MESSAGES = 500;

const ABNORMAL = 1006;

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

interface Opened {
  id: string;
  key: string;
}

/** What a server says when it opens no connection, in the form of a close reason. */
async function reasonIn(answer: Response): Promise<string> {
  const said = (await answer.json().catch(() => ({}))) as { reason?: string };
  return said.reason ?? "";
}

/** Messages with their lengths before them, as lib0 writes numbers. */
export function packed(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts: number[] = [];
  let size = 0;
  for (const { length } of messages) size += length + 5;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const message of messages) {
    parts.length = 0;
    let left = message.length;
    for (; left > 0x7f; left >>>= 7) parts.push((left & 0x7f) | 0x80);
    parts.push(left);
    whole.set(parts, at);
    whole.set(message, at + parts.length);
    at += parts.length + message.length;
  }
  return whole.slice(0, at);
}

export class SlowSocket extends EventTarget {
  /** Each answer has to end before it arrives here: they are asked for one by one. */
  private static polls = false;

  readyState: number = WebSocket.CONNECTING;
  binaryType = "arraybuffer";
  private readonly waiting: Uint8Array[] = [];
  private readonly events = new Events(
    (data) => this.dispatchEvent(new MessageEvent("message", { data })),
    (code, reason) => this.end(code, reason),
  );
  private path = "";
  private key = "";
  private batch = 0;
  private sending = false;
  private stopped = new AbortController();
  private readonly leaves = (): void => this.leave();

  constructor(
    readonly url: string,
    private readonly address: string,
    private readonly credentials: RequestCredentials,
  ) {
    super();
    addEventListener("pagehide", this.leaves);
    void this.open();
  }

  send(message: Uint8Array): void {
    this.waiting.push(message);
    void this.flush();
  }

  close(): void {
    if (this.readyState >= WebSocket.CLOSING) return;
    this.goodbye();
    this.end(1005, "");
  }

  private leave(): void {
    if (this.readyState >= WebSocket.CLOSING) return;
    this.goodbye();
    this.end(ABNORMAL, "");
  }

  private goodbye(): void {
    if (this.path !== "") void this.ask("DELETE", "", { keepalive: true }).catch(() => undefined);
  }

  private ask(method: string, query: string, more: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const headers = { "Collab-Key": this.key, "Last-Event-ID": String(this.events.last), ...more.headers };
    return fetch(this.path + query, { ...more, method, headers, credentials: this.credentials, cache: "no-store" });
  }

  private async open(): Promise<void> {
    try {
      const answer = await fetch(this.address, { method: "POST", credentials: this.credentials, signal: this.stopped.signal });
      if (!answer.ok) return this.end(answer.status === 429 || answer.status === 503 ? 1013 : ABNORMAL, await reasonIn(answer));
      const { id, key } = (await answer.json()) as Opened;
      [this.path, this.key] = [`${this.address}/${id}`, key];
    } catch {
      return this.end(ABNORMAL, "");
    }
    if (this.readyState !== WebSocket.CONNECTING) return this.goodbye();
    void this.listen();
  }

  private begin(): void {
    if (this.readyState !== WebSocket.CONNECTING) return;
    this.readyState = WebSocket.OPEN;
    this.dispatchEvent(new Event("open"));
    void this.flush();
  }

  /** Until the connection is over: what was cut goes on behind the last event that came. */
  private async listen(): Promise<void> {
    let heard = performance.now();
    for (let misses = 0; this.readyState < WebSocket.CLOSING; ) {
      try {
        if (await this.hear()) [heard, misses] = [performance.now(), 0];
      } catch {
        misses += 1;
        if (performance.now() - heard > CUT && misses > 1) return this.end(ABNORMAL, "");
        await pause(Math.min(2000, 100 * 2 ** misses) * (0.5 + Math.random()));
      }
    }
  }

  /** One answer; whether something came. */
  private async hear(): Promise<boolean> {
    const cut = new AbortController();
    const end = (): void => cut.abort();
    this.stopped.signal.addEventListener("abort", end);
    let clock = setTimeout(end, SlowSocket.polls ? SILENT : FIRST);
    let came = false;
    try {
      if (SlowSocket.polls) this.begin();
      const answer = await this.ask("GET", SlowSocket.polls ? "?wait" : "", { signal: cut.signal });
      if (!answer.ok) return this.refused(answer.status);
      const reader = answer.body?.getReader();
      this.events.begin();
      for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
        came = true;
        clearTimeout(clock);
        clock = setTimeout(end, SILENT);
        this.begin();
        this.events.feed(piece.value);
      }
      return came;
    } catch (error) {
      if (!came && !SlowSocket.polls && cut.signal.aborted && this.readyState === WebSocket.CONNECTING) {
        SlowSocket.polls = true;
        return true;
      }
      if (came) return true;
      throw error;
    } finally {
      clearTimeout(clock);
      this.stopped.signal.removeEventListener("abort", end);
    }
  }

  /** The server answered so; whether it may be asked again at once. It raises when a moment should pass. */
  private refused(status: number): boolean {
    if (status < 500 && status !== 429 && status !== 408) this.end(ABNORMAL, "");
    else throw new Error(String(status));
    return false;
  }

  private async flush(): Promise<void> {
    if (this.sending || this.readyState !== WebSocket.OPEN) return;
    this.sending = true;
    while (this.waiting.length > 0 && this.readyState === WebSocket.OPEN) {
      let [count, size] = [0, 0];
      for (const { length } of this.waiting) {
        if (count === MESSAGES || (count > 0 && size + length > BATCH)) break;
        [count, size] = [count + 1, size + length];
      }
      this.batch += 1;
      await this.post(packed(this.waiting.splice(0, count)));
    }
    this.sending = false;
  }

  /** Sent until the server says that it has it: however often it arrives, it counts once. */
  private async post(body: Uint8Array<ArrayBuffer>): Promise<void> {
    const begun = performance.now();
    const headers = { "Collab-Batch": String(this.batch), "Content-Type": "application/octet-stream" };
    for (let misses = 0; this.readyState === WebSocket.OPEN; misses += 1) {
      try {
        const answer = await this.ask("POST", "", { headers, body, signal: this.stopped.signal });
        if (answer.ok) return;
        if (answer.status === 413) return this.end(1009, "");
        this.refused(answer.status);
      } catch {
        if (performance.now() - begun > CUT && misses > 1) return this.end(ABNORMAL, "");
        await pause(Math.min(2000, 100 * 2 ** misses) * (0.5 + Math.random()));
      }
    }
  }

  private end(code: number, reason: string): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    removeEventListener("pagehide", this.leaves);
    this.stopped.abort();
    // As with a socket: never from inside a call of who uses it.
    queueMicrotask(() => this.dispatchEvent(new CloseEvent("close", { code, reason, wasClean: code !== ABNORMAL })));
  }
}
