// @vitest-environment happy-dom

/** The list of files and its uploads when answers come late: what was done meanwhile counts. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Item } from "../src/base/api.ts";
import { Board } from "../src/files/board.ts";
import { Uploads } from "../src/files/uploads.ts";
import { until } from "./until.ts";

/** A question on its way to the server, to be answered by the test. */
interface Asked {
  readonly what: string;
  answer(said: object): void;
}

let asked: Asked[];
let sent: Sent[];

/** The browser's XMLHttpRequest, answered by the test. */
class Sent extends EventTarget {
  readonly upload = new EventTarget();
  status = 0;
  responseText = "";
  path = "";

  open(_method: string, path: string): void {
    this.path = decodeURIComponent(path);
  }

  setRequestHeader(): void {
    // They are the server's to read.
  }

  send(): void {
    sent.push(this);
  }

  abort(): void {
    this.dispatchEvent(new Event("abort"));
  }

  end(status: number, said: object): void {
    [this.status, this.responseText] = [status, JSON.stringify(said)];
    this.dispatchEvent(new Event("load"));
  }
}

const item = (path: string): Item => ({ id: `id:${path}`, path, type: "text/markdown", size: 1, etag: "e", modified: 1, role: "editor" });
const list = (...paths: string[]): object => ({ documents: paths.map(item), writable: true });
const file = (path: string): { path: string; file: File } => ({ path, file: new File(["x"], path) });
const taken = { reason: "exists" };
/** The next question, once it is asked. */
async function question(number: number): Promise<Asked> {
  await until(() => expect(asked.length).toBeGreaterThan(number));
  return asked[number] as Asked;
}
/** Whether the browser asks before the page is left. */
const stays = (): boolean => !dispatchEvent(new Event("beforeunload", { cancelable: true }));

let board: Board;

beforeEach(() => {
  [asked, sent] = [[], []];
  vi.stubGlobal("XMLHttpRequest", Sent);
  vi.stubGlobal("fetch", (path: string, { method }: RequestInit) => {
    return new Promise<Response>((resolve) => {
      const answer = (said: object): void => resolve(new Response(JSON.stringify(said), { headers: { "Content-Type": "application/json" } }));
      asked.push({ what: `${method} ${decodeURIComponent(path)}`, answer });
    });
  });
  const ids = ["main", "grid", "rows", "skeleton", "message", "panels", "toasts", "said"];
  document.body.innerHTML = ids.map((id) => `<div id="${id}" tabindex="-1"></div>`).join("");
  const nothing = (): void => undefined;
  board = new Board({ changed: nothing, begin: nothing, upload: nothing });
});
afterEach(() => vi.unstubAllGlobals());

test("a list that was asked for before something was deleted does not bring it back", async () => {
  const first = board.load();
  (await question(0)).answer(list("a.md", "b.md"));
  await first;
  const second = board.load();
  await question(1);
  board.drop(["id:a.md"]);
  board.put(item("c.md"));
  (await question(1)).answer(list("a.md", "b.md"));
  (await question(2)).answer(list("b.md", "c.md"));
  await second;
  expect(board.entries.map(({ name }) => name)).toEqual(["b.md", "c.md"]);
});

test("a file whose name is taken is sent once more however often that is pressed, and not when it was left out meanwhile", async () => {
  const uploads = new Uploads(board);
  await uploads.add("", { files: [file("a.md"), file("b.md")], folders: [] });
  for (const each of sent) each.end(412, taken);
  await until(() => expect(uploads.all.map(({ state }) => state)).toEqual(["exists", "exists"]));
  const [one, other] = uploads.all as [(typeof uploads.all)[number], (typeof uploads.all)[number]];
  const pressed = [uploads.keepBoth(one), uploads.keepBoth(one), uploads.keepBoth(other)];
  await question(2);
  uploads.cancel(other);
  for (const each of asked) each.answer(list("a.md", "b.md"));
  await Promise.all(pressed);
  expect(sent.slice(2).map(({ path }) => path)).toEqual(["/api/documents/a 2.md/content"]);
  expect([one.state, other.state]).toEqual(["sending", "cancelled"]);
  uploads.end();
});

test("nothing is sent any more once the panel is closed while folders are made", async () => {
  const uploads = new Uploads(board);
  const added = uploads.add("", { files: [file("in/a.md")], folders: ["in"] });
  const folder = await question(0);
  uploads.end();
  folder.answer({});
  await added;
  expect(sent).toEqual([]);
});

test("the browser asks before the page is left as long as files are to be sent, whatever came to an end before", async () => {
  const uploads = new Uploads(board);
  await uploads.add("", { files: [file("a.md")], folders: [] });
  const added = uploads.add("", { files: [file("in/b.md")], folders: ["in"] });
  const folder = await question(0);
  sent[0]?.end(201, item("a.md"));
  await until(() => expect(uploads.open).toBe(0));
  expect(stays()).toBe(true);
  folder.answer({});
  await added;
  expect(stays()).toBe(true);
  sent[1]?.end(500, {});
  await until(() => expect(uploads.open).toBe(0));
  expect(stays()).toBe(false);
  uploads.again(uploads.all[1] as (typeof uploads.all)[number]);
  expect(stays()).toBe(true);
  uploads.end();
});
