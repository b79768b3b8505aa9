/** The list of one folder's files. */

import { contentAddress, create, editAddress, FOLDER, list, Problem, session, signOut, type Item } from "../base/api.ts";
import { button, element, part } from "../base/dom.ts";
import { fileName, folderOf, newPath, trail } from "../base/names.ts";
import { address } from "../base/page.ts";
import { bytes, moment } from "../base/show.ts";

const folder = new URLSearchParams(location.search).get("path")?.replace(/^\/+|\/+$/g, "") ?? "";
const message = part("message");
const form = part("new") as HTMLFormElement;
const field = part("name") as HTMLInputElement;
const table = part("files");

function say(...words: (Node | string)[]): void {
  message.replaceChildren(...words);
  message.hidden = words.length === 0;
}

function showTrail(): void {
  const folders = [{ name: "Files", path: "" }, ...trail(folder)];
  const items = folders.map(({ name, path }) => {
    const here = path === folder;
    return element("li", {}, here ? element("span", { "aria-current": "page" }, name) : element("a", { href: address.files(path) }, name));
  });
  part("trail").replaceChildren(...items);
  document.title = `${folder === "" ? "Files" : fileName(folder)} · collab`;
}

function row(item: Item): HTMLTableRowElement {
  const name = fileName(item.path);
  return item.type === FOLDER ? folderRow(name, item) : fileRow(name, item);
}

function folderRow(name: string, item: Item): HTMLTableRowElement {
  const link = element("a", { href: address.files(item.path), class: "folder" }, element("bdi", {}, name), "/");
  return element("tr", {}, element("th", { scope: "row" }, link), element("td"), element("td"), element("td"));
}

function fileRow(name: string, item: Item): HTMLTableRowElement {
  const link = element("a", { href: editAddress(item.path) }, element("bdi", {}, name));
  const tag = item.role === "viewer" ? element("span", { class: "tag" }, "Read only") : null;
  const changed = moment(item.modified);
  const time = element("time", { datetime: changed.iso, title: changed.full }, changed.short);
  const get = element("a", { href: contentAddress(item.id), download: name, "aria-label": `Download ${name}`, title: "Download" }, "↓");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, link, tag),
    element("td", { class: "number" }, bytes(item.size)),
    element("td", { class: "when" }, time),
    element("td", { class: "get" }, get),
  );
}

function inOrder(items: Item[]): Item[] {
  const rank = (item: Item): number => (item.type === FOLDER ? 0 : 1);
  return [...items].sort((a, b) => rank(a) - rank(b) || fileName(a.path).localeCompare(fileName(b.path), undefined, { numeric: true }));
}

async function showFiles(): Promise<void> {
  const items = inOrder(await list(folder));
  part("rows").replaceChildren(...items.map(row));
  table.hidden = items.length === 0;
  table.setAttribute("aria-busy", "false");
  form.hidden = false;
  if (items.length === 0) say("This folder is empty. Create a document here, or put files into the folder on the server.");
}

async function showMe(): Promise<void> {
  const me = await session();
  const leave = button("Sign out", () => void signOut().then(() => location.assign(address.login()), fail), "quiet");
  part("me").replaceChildren(element("bdi", {}, me.name), leave);
}

function fail(problem: unknown): void {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) return signInNote();
  const up = element("a", { href: address.files(folderOf(folder)) }, "Go up");
  if (problem.status === 404) return say(`There is no folder “${folder}”. `, up);
  say(problem.message, " ", button("Try again", () => location.reload()));
}

function signInNote(): void {
  form.hidden = true;
  say(
    "You are not signed in. Open the address that “collab serve” printed; “collab login” on the server prints a new one. ",
    element("a", { href: address.login() }, "Paste it"),
  );
}

function refused(problem: unknown, path: string): void {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) return signInNote();
  if (problem.reason !== "exists") return say(problem.message);
  say(`“${fileName(path)}” exists already. `, element("a", { href: editAddress(path) }, "Open it"));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const path = newPath(folder, field.value);
  create(path).then(
    (made) => location.assign(editAddress(made.path)),
    (problem: unknown) => refused(problem, path),
  );
});

showTrail();
Promise.all([showFiles(), showMe()]).catch(fail);
