/**
 * Which way a page talks with the server: over a WebSocket, or the slow way over plain HTTP, when the network lets no WebSocket through.
 *
 * The rule: a WebSocket did not open, the server then answered plain HTTP, and the next WebSocket did not open either. A server that
 * restarts answers neither, and is waited for.
 */

import { SlowSocket } from "./slow.ts";

/** Milliseconds for a WebSocket to open: some networks swallow the question. */
const OPENS = 8000;
/** Milliseconds until a WebSocket is tried again, doubling up to an hour. */
const AGAIN = 5 * 60_000;
const RARELY = 60 * 60_000;

const REMEMBERED = "collab-slow";

/** Remembered for the browser's session, where the browser remembers. */
function remember(slow: boolean): void {
  try {
    if (slow) sessionStorage.setItem(REMEMBERED, "1");
    else sessionStorage.removeItem(REMEMBERED);
  } catch {
    // Then it is found out again.
  }
}

function remembered(): boolean {
  try {
    return sessionStorage.getItem(REMEMBERED) !== null;
  } catch {
    return false;
  }
}

/** The same server over plain HTTP. */
const plain = (url: string): string => url.replace(/^ws/, "http").replace(/\/collaboration$/, "");

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${plain(url)}/healthz`, { credentials: "omit", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** The WebSocket that the page opened before there were scripts, once. */
function early(url: string): WebSocket | undefined {
  const page = globalThis as { collabSocket?: WebSocket | undefined };
  const socket = page.collabSocket;
  page.collabSocket = undefined;
  return socket === undefined || socket.readyState > WebSocket.OPEN || socket.url !== url ? undefined : socket;
}

export class Ways {
  slow = remembered();
  /** A WebSocket did not open, and the server answered plain HTTP afterwards. */
  private doubted = false;
  /** Counts those that opened. */
  private opened = 0;
  private wait = AGAIN;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `back`: WebSockets get through again. */
  constructor(
    private readonly url: string,
    private readonly credentials: RequestCredentials,
    private readonly back: () => void,
  ) {}

  /** The network may be another one. */
  hurry(): void {
    if (this.slow) this.try(new WebSocket(this.url));
  }

  /** A connection of the way that is taken now; called with `new`, as WebSocket's class is. */
  readonly open = ((): typeof WebSocket => {
    const make = (url: string): WebSocket => this.make(url);
    return function (url: string): WebSocket {
      return make(url);
    } as unknown as typeof WebSocket;
  })();

  private make(url: string): WebSocket {
    const first = early(url);
    if (this.slow) {
      if (first !== undefined) this.try(first);
      else this.later();
      return new SlowSocket(url, `${plain(url)}/transport`, this.credentials) as unknown as WebSocket;
    }
    const socket = first ?? new WebSocket(url);
    // Whoever listens from now on has not heard it.
    if (socket.readyState === WebSocket.OPEN) queueMicrotask(() => socket.dispatchEvent(new Event("open")));
    this.watch(socket, (opened) => (opened ? this.trust() : void this.doubt()));
    return socket;
  }

  /** Whether it opens, told once. */
  private watch(socket: WebSocket, told: (opened: boolean) => void): void {
    if (socket.readyState === WebSocket.OPEN) return told(true);
    const patience = setTimeout(() => socket.close(), OPENS);
    const tell = (opened: boolean) => (): void => {
      clearTimeout(patience);
      if (!over.signal.aborted) told(opened);
      over.abort();
    };
    const over = new AbortController();
    socket.addEventListener("open", tell(true), { signal: over.signal });
    socket.addEventListener("close", tell(false), { signal: over.signal });
  }

  private trust(): void {
    this.doubted = false;
    this.opened += 1;
  }

  private async doubt(): Promise<void> {
    if (this.doubted) return this.take(true);
    const { opened } = this;
    const answered = await answers(this.url);
    // One may have opened while we asked.
    if (opened === this.opened) this.doubted = answered;
  }

  private take(slow: boolean): void {
    [this.slow, this.doubted] = [slow, false];
    remember(slow);
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!slow) [this.wait] = [AGAIN];
  }

  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.wait = Math.min(RARELY, 2 * this.wait);
      this.try(new WebSocket(this.url));
    }, this.wait);
  }

  /** Whether WebSockets get through again. */
  private try(socket: WebSocket): void {
    this.watch(socket, (opened) => {
      socket.close();
      if (!this.slow) return;
      if (!opened) return this.later();
      this.take(false);
      this.back();
    });
  }
}
