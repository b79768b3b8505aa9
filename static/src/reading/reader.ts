/** A page for readers that stays as new as the document. Without this script it is whole, and as old as it was when it was loaded. */

import "../styles/reader.css";
import "./icons.ts";

/** Milliseconds until the next try to connect, at first and at last. */
const [SOON, LATER] = [1000, 30_000];
/** Milliseconds for which a page that nobody sees stays connected. */
const UNSEEN = 60_000;
/** Milliseconds between two times that a reader who listens is told of changes. */
const TOLD = 30_000;
/** Milliseconds without a word after which a connection is taken for dead. */
const SILENT = 40_000;
/** Milliseconds for which a renewal of the page is waited for at most, when it was given up again and again. */
const PATIENT = 320_000;
/** Milliseconds between two renewals of a token, which lives for ten minutes. */
const RENEWED = 300_000;
const CACHE = "collab-reading";

type Splice = [at: number, remove: number, insert: [name: string, html: string][]];
interface Patch {
  from: string;
  to: string;
  shell: string;
  title: string;
  note: string;
  splices: Splice[];
}

const page = document.body.dataset;
const base = page["base"] ?? "";
const words = JSON.parse(page["words"] ?? "{}") as Record<string, string>;
const frame = page["token"] ?? "";
delete page["token"];
const live = document.getElementById("live");

interface Policy {
  createHTML(html: string): string;
  createScriptURL(url: string): string;
}
// Markup comes from our server, which has cleaned it; it is the only policy that this page may have.
const rules: Policy = {
  createHTML: (html) => html,
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError("scripts come from this server only");
    return url;
  },
};
const policy = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes?.createPolicy("collab", rules) ?? rules;

try {
  const { theme } = JSON.parse(localStorage["collab-preferences"]) as { theme?: string };
  if (theme !== undefined) document.documentElement.dataset["theme"] = theme;
} catch {
  // Nothing was chosen here.
}

let version = page["version"] ?? "";
let kept = version;
let token = frame;
/** The token with which the connection was made. */
let used = "";
/** It ended because its token's time was over, and there is another one by now. */
let anew = false;
/** It has said something, and is not dead for as many milliseconds from now. */
let heard: (within?: number) => void = () => undefined;
/** Milliseconds for which a renewal of the page is waited for. */
let patience = SILENT;
/** Where the document was when what is seen was made. */
let seenAt = page["path"];
let wait = SOON;
let connection: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let over = false;
let since: Date | null = null;
let told = 0;
/** It was connected at some time: what is seen is not what the device kept. */
let met = false;

/** With what was asked for at first, such as a language: what comes later is in the same one. */
const here = (): string => `${base}/v/${named().map(encodeURIComponent).join("/")}${location.search}`;
/** In a frame of another site by its id, which a token is for: somebody to whom it was given may find nothing at its path. */
const named = (): string[] => (frame === "" ? (page["path"] ?? "").split("/") : [page["id"] ?? ""]);
const headers = (accept: string): Record<string, string> => ({ Accept: accept, ...(token === "" ? {} : { Authorization: `Bearer ${token}` }) });
const time = (date: Date): string => date.toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });

function say(state: "live" | "offline" | "over", text: string): void {
  if (live === null || (live.dataset["state"] === state && live.textContent === text)) return;
  live.dataset["state"] = state;
  live.textContent = text;
}

// --- the connection

async function connect(): Promise<void> {
  if (over || connection !== null) return;
  clearTimeout(timer);
  const mine = (connection = new AbortController());
  used = token;
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    const answer = await fetch(here(), { headers: { ...headers("text/event-stream"), "Last-Event-ID": version }, signal: mine.signal, cache: "no-store" });
    if (!answer.ok || answer.body === null) return await refused(answer.status);
    wait = SOON;
    since = null;
    met = true;
    say("live", words["live"] ?? "");
    heard = (within = SILENT) => {
      clearTimeout(silence);
      silence = setTimeout(() => mine.abort(), within);
    };
    heard();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard();
      const events = (rest + value).split("\n\n");
      rest = events.pop() ?? "";
      for (const each of events) await take(each);
    }
  } catch {
    // The network is gone, or this page let go of it.
  } finally {
    clearTimeout(silence);
    if (connection === mine) connection = null;
  }
  if (anew) {
    anew = false;
    await connect();
  } else if (!over && document.visibilityState === "visible") again();
}

function again(): void {
  since ??= new Date();
  void offline();
  clearTimeout(timer);
  timer = setTimeout(() => void connect(), wait * (0.5 + Math.random()));
  wait = Math.min(wait * 2, LATER);
}

/** What is seen may be what this device kept: then it says how old that is. */
async function offline(): Promise<void> {
  const date = since ?? new Date();
  const found = met || frame !== "" ? null : await keptSince();
  if (connection === null && !over) say("offline", (found === null ? words["offline"] : words["kept"])?.replace("{}", time(found ?? date)) ?? "");
}

async function keptSince(): Promise<Date | null> {
  try {
    const date = (await caches.match(location.pathname))?.headers.get("date");
    return date == null ? null : new Date(date);
  } catch {
    return null;
  }
}

async function refused(status: number): Promise<void> {
  if (status === 401) await end("signed.out");
  else if (status === 403) await end("barred");
  else if (status === 404 || status === 410) await end("gone");
}

/** There is nothing more to come; what is kept on the device may not stay. */
async function end(why: "signed.out" | "barred" | "gone"): Promise<void> {
  over = true;
  clearTimeout(timer);
  say("over", words[why] ?? "");
  if (why === "signed.out" && frame === "") live?.append(" ", wayIn());
  // A page that was refused says why, and nothing else.
  if (why === "barred" && page["refused"] === undefined) document.getElementById("document")?.replaceChildren();
  try {
    for (const name of await caches.keys()) {
      if (name.startsWith(`${CACHE} `) && (why === "signed.out" || name.endsWith(` ${location.pathname}`))) await caches.delete(name);
    }
  } catch {
    // Nothing is kept here.
  }
}

/** To the page where one signs in, and back here. */
function wayIn(): HTMLAnchorElement {
  const made = document.createElement("a");
  made.href = `${base}/login?next=${encodeURIComponent(here())}`;
  made.textContent = words["login"] ?? "";
  return made;
}

async function take(event: string): Promise<void> {
  const lines = event.split("\n");
  const kind = lines.find((line) => line.startsWith("event: "))?.slice(7);
  const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
  if (kind === undefined || data === undefined) return;
  const said = JSON.parse(data) as unknown;
  if (kind === "patch") await patch(said as Patch);
  else if (kind === "reload") await reload();
  else if (kind === "about") await about(said as { path: string; gone: boolean });
  else if (kind === "ended") {
    const { status } = said as { status: number };
    anew = status === 401 && token !== used;
    if (!anew) await refused(status);
    connection?.abort();
  }
}

/** In a frame of another site, where no cookie is sent: a token for ten minutes more, while the one before still counts. */
async function renew(): Promise<void> {
  if (over) return;
  const answer = await fetch(`${base}/api/session/renewal`, { method: "POST", headers: headers("application/json") });
  if (answer.ok) token = ((await answer.json()) as { token: string }).token;
}

// --- changes

const shown = (): HTMLElement | null => document.getElementById("body");

async function patch(change: Patch): Promise<void> {
  const body = shown();
  if (body === null || change.from !== version || change.shell !== page["shell"]) return reload();
  const lasting = place(body);
  // From the end, so that the places of those before stay what they are.
  for (const [at, remove, insert] of change.splices.toReversed()) {
    const old = [...body.children].slice(at, at + remove);
    const next = body.children[at + remove] ?? null;
    for (const each of insert) body.insertBefore(made(change.shell, each[1]), next);
    for (const each of old) each.remove();
  }
  version = change.to;
  note(change.note);
  lasting();
  pictures();
  reach();
  announce();
}

/** As the server writes a block into the page. */
function made(shell: string, html: string): Element {
  const holder = document.createElement("template");
  const inside = shell === "table" ? html : shell === "sheet" || shell === "none" ? `<div class="b new">${html}</div>` : `<span class="b new">${html}</span>`;
  holder.innerHTML = policy.createHTML(inside);
  return holder.content.firstElementChild ?? document.createElement("span");
}

/** What is seen stays where it is, whatever comes or goes above it. */
function place(body: HTMLElement): () => void {
  const first = [...body.children].find((each) => each.getBoundingClientRect().bottom > 0);
  const top = first?.getBoundingClientRect().top ?? 0;
  return () => {
    if (first?.isConnected === true && scrollY > 0) scrollBy({ top: first.getBoundingClientRect().top - top, behavior: "instant" });
  };
}

function note(html: string): void {
  document.getElementById("note")?.remove();
  if (html === "") return;
  const made = document.createElement("p");
  made.id = "note";
  made.className = "note";
  made.innerHTML = policy.createHTML(html);
  document.getElementById("document")?.prepend(made);
}

/** Who listens to the page is told now and then, and never what it was. */
function announce(): void {
  if (Date.now() - told < TOLD) return;
  told = Date.now();
  say("live", "");
  setTimeout(() => say("live", `${words["live"] ?? ""} · ${words["changed"] ?? ""}`), 50);
  setTimeout(() => live?.dataset["state"] === "live" && say("live", words["live"] ?? ""), 6000);
}

async function reload(): Promise<void> {
  heard(patience);
  const begun = Date.now();
  // Who lets go of the connection, as of one that is silent, waits for this no longer.
  const asked = fetch(here(), { headers: headers("text/html"), signal: connection?.signal ?? null, cache: "no-cache" });
  const answer = await asked.catch((error: unknown) => {
    // By way of the device's keeper it comes all at once, on a slow network late: after one that was given up the next try waits longer.
    if (Date.now() - begun >= patience - 1000) patience = Math.min(patience * 2, PATIENT);
    throw error;
  });
  patience = SILENT;
  heard();
  if (!answer.ok) return refused(answer.status);
  // Without its styles, which are ours, too: they have another nonce, and the browser would complain.
  const text = (await read(answer)).replace(/<style[^>]*>[^]*?<\/style>/, "");
  const loaded = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
  const lasting = [scrollX, scrollY] as const;
  for (const id of ["document", "bar"]) {
    const [old, fresh] = [document.getElementById(id), loaded.getElementById(id)];
    if (old === null || fresh === null) continue;
    for (const each of [...old.children]) if (each !== live) each.remove();
    old.prepend(...[...fresh.children].filter((each) => each.id !== "live"));
  }
  document.title = loaded.title;
  for (const key of ["version", "shell", "path", "id"]) page[key] = loaded.body.dataset[key] ?? "";
  version = page["version"] ?? "";
  seenAt = page["path"];
  scrollTo({ left: lasting[0], top: lasting[1], behavior: "instant" });
  pictures();
  reach();
  announce();
}

/** The connection is not read meanwhile: what comes here shows as well that the network is there. */
async function read(answer: Response): Promise<string> {
  let text = "";
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) return text;
    heard();
    text += next.value;
  }
}

async function about({ path, gone }: { path: string; gone: boolean }): Promise<void> {
  if (gone) return say("over", words["gone"] ?? "");
  if (live?.dataset["state"] === "over") say("live", words["live"] ?? "");
  if (path === seenAt) return;
  page["path"] = path;
  if (frame === "") history.replaceState(history.state, "", here() + location.hash);
  await reload();
}

/** What is wider than the screen can be moved by the keyboard, too. */
function reach(): void {
  for (const each of document.querySelectorAll<HTMLElement>("article#body > .b")) {
    if (each.scrollWidth > each.clientWidth && each.querySelector("a, summary") === null) each.tabIndex = 0;
  }
}

/** In a frame of another site pictures are fetched with the page's token. */
function pictures(): void {
  if (frame === "") return;
  for (const each of document.querySelectorAll<HTMLImageElement>(`#body img[src^="${base}/api/"]`)) {
    void fetch(each.src, { headers: headers("image/*") })
      .then((answer) => (answer.ok ? answer.blob() : Promise.reject(new Error(answer.statusText))))
      .then((bytes) => (each.src = URL.createObjectURL(bytes)), () => null);
  }
}

// --- the device

/** The kept page is the newest that was seen, as soon as nobody looks any more. */
function keep(): void {
  if (version === kept || frame !== "" || over) return;
  kept = version;
  void fetch(here(), { headers: headers("text/html"), keepalive: true, cache: "no-cache" }).catch(() => null);
}

async function home(): Promise<void> {
  const place = document.getElementById("kept");
  const names = await caches.keys().catch(() => []);
  const paths = names.filter((name) => name.startsWith(`${CACHE} `)).map((name) => name.split(" ").slice(2).join(" ")).filter((path) => path !== `${base}/v/`);
  if (place === null || paths.length === 0) return;
  const list = document.createElement("ul");
  list.className = "shelf";
  for (const path of paths.reverse()) {
    const link = document.createElement("a");
    link.href = path;
    link.textContent = decodeURIComponent(path.slice(`${base}/v/`.length));
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  const heading = document.createElement("h2");
  heading.textContent = words["home.kept"] ?? "";
  place.replaceChildren(heading, list);
}

/** On the first visit nobody has kept anything yet: what came before the keeper was there is fetched once more, mostly out of the browser's own cache. */
async function first(): Promise<void> {
  const pages = [`${base}/v/`, location.pathname + location.search];
  await Promise.all(pages.map((path) => fetch(path, { headers: headers("text/html"), cache: "no-cache" }).catch(() => null)));
  // Only now: a picture is kept with its page, when that is kept.
  const addresses = [...document.querySelectorAll<HTMLImageElement>("#body img"), ...document.scripts].map((each) => each.src);
  for (const each of addresses.filter((src) => src.startsWith(location.origin))) void fetch(each).catch(() => null);
}

if (frame === "" && "serviceWorker" in navigator) {
  if (navigator.serviceWorker.controller === null && page["refused"] === undefined) {
    navigator.serviceWorker.addEventListener("controllerchange", () => void first(), { once: true });
  }
  navigator.serviceWorker.register(policy.createScriptURL(`${base}/sw.js`), { scope: `${base}/v/` }).catch(() => null);
}
if (page["home"] !== undefined) void home();
if (page["refused"] !== undefined) void refused(Number(page["refused"]));
if (version !== "") {
  void connect();
  if (frame !== "") setInterval(() => void renew().catch(() => null), RENEWED);
  pictures();
  reach();
  if (frame === "") void fetch(`${base}/api/documents/${encodeURIComponent(page["id"] ?? "")}/visit`, { method: "PUT" }).catch(() => null);
  addEventListener("online", () => {
    wait = SOON;
    void connect();
  });
  addEventListener("offline", () => connection?.abort());
  addEventListener("pagehide", keep);
  let unseen: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(unseen);
    if (document.visibilityState === "visible") {
      wait = SOON;
      return void connect();
    }
    keep();
    clearTimeout(timer);
    unseen = setTimeout(() => connection?.abort(), UNSEEN);
  });
}
