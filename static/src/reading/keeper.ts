/**
 * Pages that were read are kept on the device, and are shown when there is no network. One cache for each document of a person, with its
 * pictures: what a person may not read any more goes as a whole, and so does everything when somebody else signs in, or nobody is.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  clientId: string;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  registration: { scope: string };
  clients: { claim(): Promise<void>; get(id: string): Promise<{ url: string } | undefined> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(kind: "fetch", listener: (event: Fetching) => void): void;
}

const own = globalThis as unknown as Worker;
const CACHE = "collab-reading";
const ASSETS = "collab-reading-assets";
/** A cache with nothing in it: its name says when somebody signed out here (milliseconds since the epoch). */
const LEFT = "collab-left ";
/** Documents that are kept. */
const MOST = 50;

const scope = new URL(own.registration.scope);
const base = scope.pathname.slice(0, -"/v/".length);
const within = (url: URL): boolean => url.origin === scope.origin && url.pathname.startsWith(scope.pathname);

own.addEventListener("install", (event) => event.waitUntil(own.skipWaiting()));
own.addEventListener("activate", (event) => event.waitUntil(own.clients.claim()));
own.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.origin) return;
  const html = request.headers.get("accept")?.includes("text/html") === true;
  if (within(url) && (request.mode === "navigate" || html)) event.respondWith(page(request, url.pathname));
  else if (url.pathname.startsWith(`${base}/api/documents/`) && url.pathname.endsWith("/content")) event.respondWith(picture(event));
  else if (url.pathname.startsWith(`${base}/static/assets/`)) event.respondWith(asset(event));
});

let last: Promise<unknown> = Promise.resolve();
/** One after the other: a picture that came while its page was kept anew would be put into a cache that is gone. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work);
  last = mine.catch(() => null);
  return mine;
}

const pages = async (): Promise<string[]> => (await caches.keys()).filter((name) => name.startsWith(`${CACHE} `));
const isOf = (name: string, path: string): boolean => name.endsWith(` ${path}`);

async function page(request: Request, path: string): Promise<Response> {
  const asked = Date.now();
  let answer: Response;
  try {
    answer = await fetch(request);
  } catch (error) {
    const kept = await inTurn(() => newest(path));
    if (kept === undefined) throw error;
    return kept;
  }
  const told = await whole(answer.clone());
  // A device that has no room for it shows it all the same.
  if (told !== null) await inTurn(() => look(told, path, asked)).catch(() => null);
  return answer;
}

/** With all that it says, before anything older goes: none when that broke off on the way. */
async function whole(answer: Response): Promise<Response | null> {
  if (!answer.ok || answer.redirected) return answer;
  const { status, statusText, headers } = answer;
  const body = await answer.blob().catch(() => null);
  return body === null ? null : new Response(body, { status, statusText, headers });
}

async function newest(path: string): Promise<Response | undefined> {
  return (await cacheOf(path))?.match(path);
}

async function cacheOf(path: string): Promise<Cache | undefined> {
  const name = (await pages()).reverse().find((each) => isOf(each, path));
  return name === undefined ? undefined : caches.open(name);
}

/** What the answer says of what is kept. */
async function look(answer: Response, path: string, asked: number): Promise<void> {
  const person = answer.headers.get("x-collab-person");
  const names = await pages();
  if (answer.status === 401) await drop(names);
  else if (answer.status === 403 || answer.status === 404) await drop(names.filter((name) => isOf(name, path)));
  else if (answer.ok && person !== null && !answer.redirected) {
    await drop(names.filter((name) => name.split(" ")[1] !== person));
    await keep(answer, person, path);
    // Who signed out while it was on its way has looked before it was here.
    const left = (await caches.keys()).filter((name) => name.startsWith(LEFT)).map((name) => Number(name.slice(LEFT.length)));
    // A clock that was ahead then says nothing.
    if (left.some((time) => time >= asked && time <= Date.now())) await caches.delete(nameOf(person, path));
  }
}

const nameOf = (person: string, path: string): string => `${CACHE} ${person} ${path}`;

async function keep(answer: Response, person: string, path: string): Promise<void> {
  const name = nameOf(person, path);
  // Made anew, so that caches are in the order in which they were read, with the pictures that it has.
  const before = (await caches.has(name)) ? await caches.open(name) : null;
  // Where there is no room for it that ends here, and what is kept stays.
  await before?.put(path, answer.clone());
  const pictures = before === null ? [] : await Promise.all((await before.keys()).map(async (key) => [key, await before.match(key)] as const));
  await caches.delete(name);
  const cache = await caches.open(name);
  for (const [key, value] of pictures) if (value !== undefined) await cache.put(key, value);
  await cache.put(path, answer);
  const all = await pages();
  await drop(all.slice(0, Math.max(0, all.length - MOST)));
}

const drop = async (names: readonly string[]): Promise<void> => void (await Promise.all(names.map((name) => caches.delete(name))));

/** A picture is kept with the page that shows it. */
async function picture(event: Fetching): Promise<Response> {
  const { request } = event;
  const shown = await own.clients.get(event.clientId);
  const path = shown === undefined ? "" : new URL(shown.url).pathname;
  let answer: Response;
  try {
    answer = await fetch(request);
  } catch (error) {
    const kept = await inTurn(async () => (await cacheOf(path))?.match(request.url));
    if (kept === undefined) throw error;
    return kept;
  }
  if (!answer.ok || (await mayKeep(answer, path))) event.waitUntil(keepPicture(request.url, answer.clone(), path).catch(() => null));
  return answer;
}

/** Whether there is a page to keep it with, and it is no part of something: else nobody needs all of it here. */
async function mayKeep({ status }: Response, path: string): Promise<boolean> {
  return status === 200 && (await inTurn(() => cacheOf(path)).catch(() => undefined)) !== undefined;
}

async function keepPicture(address: string, answer: Response, path: string): Promise<void> {
  const told = await whole(answer);
  if (told === null) return;
  await inTurn(async () => {
    const cache = await cacheOf(path);
    if (told.ok) await cache?.put(address, told);
    else await cache?.delete(address);
  });
}

/** What never changes under its name. */
async function asset(event: Fetching): Promise<Response> {
  const { request } = event;
  const kept = await keptAsset(request).catch(() => undefined);
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  // A device that has no room for it is given it all the same.
  if (answer.ok) event.waitUntil(keepAsset(request, answer.clone()).catch(() => null));
  return answer;
}

const keptAsset = async (request: Request): Promise<Response | undefined> => (await caches.open(ASSETS)).match(request);

async function keepAsset(request: Request, answer: Response): Promise<void> {
  const cache = await caches.open(ASSETS);
  for (const key of (await cache.keys()).slice(0, -20)) await cache.delete(key);
  await cache.put(request, answer);
}
