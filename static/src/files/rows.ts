/** One row of the list. Rows are cloned from a pattern: a folder may have thousands. */

import { element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { heldWords } from "../office/held.ts";
import { folderOfEntry, kindOf, openAddress, type Entry, type Kind } from "./entries.ts";
import { size, time } from "./facts.ts";
import { addressOf, inFolder, type View } from "./place.ts";

/** What can have the keyboard's focus in a row, from left to right. */
export const CONTROLS = "input, .open, button.chip, button.star, button.back, button.more";

const patterns = new Map<string, HTMLElement>();

/** A row that looks like this entry in this view; it listens to nothing. */
export function row(entry: Entry, view: View): HTMLElement {
  const made = pattern(kindOf(entry), view).cloneNode(true) as HTMLElement;
  made.dataset["key"] = entry.key;
  fill(made, ".open bdi", entry.name);
  named(made, "input", t("files.pick", { name: entry.name }));
  named(made, ".more", t("files.more", { name: entry.name }));
  found(made, ".tag").hidden = view === "bin" || !entry.readOnly;
  showHeld(made, entry);
  showTags(made, entry);
  showFacts(made, entry, view);
  if (view === "bin") showBack(made, entry);
  else showOpen(made, entry);
  return made;
}

function pattern(kind: Kind, view: View): HTMLElement {
  const key = `${kind} ${view}`;
  const made = patterns.get(key) ?? blank(kind, view);
  patterns.set(key, made);
  return made;
}

function blank(kind: Kind, view: View): HTMLElement {
  const binned = view === "bin";
  const open = element(binned ? "button" : "a", binned ? { type: "button", class: "open", tabindex: "-1" } : { class: "open", tabindex: "-1" });
  open.append(element("bdi"), ...(kind === "folder" ? [element("span", { class: "away" }, ` ${t("files.folder")}`)] : []));
  const under = element("span", { class: "under" }, element("span", { class: "origin" }), element("span", { class: "brief", "aria-hidden": "true" }));
  const words = element("span", { class: "title" }, open, element("span", { class: "tag" }, t("files.readOnly")), under);
  return element(
    "div",
    { role: "row", class: `entry ${kind}`, draggable: binned ? "false" : "true" },
    element("div", { role: "gridcell", class: "pick" }, element("input", { type: "checkbox", tabindex: "-1" })),
    element("div", { role: "rowheader", class: "name" }, icon(kind), words),
    element("div", { role: "gridcell", class: "size" }),
    element("div", { role: "gridcell", class: "when" }, element("time")),
    element("div", { role: "gridcell", class: "acts" }, ...acts(kind, binned)),
  );
}

function acts(kind: Kind, binned: boolean): HTMLElement[] {
  const more = element("button", { type: "button", class: "pic more", tabindex: "-1", "aria-haspopup": "menu" }, icon("menu"));
  if (binned) return [element("button", { type: "button", class: "back", tabindex: "-1" }, t("files.restore")), more];
  if (kind === "folder") return [more];
  return [element("button", { type: "button", class: "pic star", tabindex: "-1" }, icon("star")), more];
}

function showFacts(made: HTMLElement, entry: Entry, view: View): void {
  const when = time(entry.when);
  const weight = entry.isFolder ? "" : size(entry.size);
  const at = made.querySelector("time") as HTMLTimeElement;
  at.dateTime = when.iso;
  at.title = when.full;
  at.textContent = when.short;
  fill(made, ".size", weight);
  fill(made, ".brief", [weight, when.short].filter((each) => each !== "").join(" · "));
  fill(made, ".origin", origin(entry, view));
}

/** Where it is, where the folder is not the page's own. */
function origin(entry: Entry, view: View): string {
  const folder = folderOfEntry(entry) || t("files.root");
  if (view === "files") return "";
  if (entry.binned === null) return folder;
  const { by, until } = entry.binned;
  const facts = { folder, by: by || "–" };
  return until === null ? t("files.bin.facts.own", facts) : t("files.bin.facts", { ...facts, until: time(until).short });
}

/** Let what opens the row lead where its entry is opened, as far as is known by now. */
export function lead(made: HTMLElement, entry: Entry): void {
  found(made, ".open").setAttribute("href", entry.isFolder ? addressOf(inFolder(entry.path)) : openAddress(entry));
}

function showOpen(made: HTMLElement, entry: Entry): void {
  const { name, starred } = entry;
  lead(made, entry);
  const button = made.querySelector(".star");
  if (button === null) return;
  named(made, ".star", t("files.star", { name }));
  button.setAttribute("aria-pressed", String(starred));
  made.classList.toggle("starred", starred);
}

/** Who has it open on a desktop. */
function showHeld(made: HTMLElement, { held }: Entry): void {
  if (held !== null) found(made, ".under").before(element("span", { class: "tag held" }, heldWords(held, "line")));
}

/** What it is tagged with: a press looks for others. */
function showTags(made: HTMLElement, { tags }: Entry): void {
  if (tags.length === 0) return;
  const each = tags.map((tag) => element("button", { type: "button", class: "chip", tabindex: "-1", "data-tag": tag, "aria-label": t("about.find", { tag }) }, element("bdi", {}, tag)));
  found(made, ".under").before(element("span", { class: "tags" }, ...each));
}

function showBack(made: HTMLElement, { name }: Entry): void {
  named(made, ".back", t("files.restore.one", { name }));
}

function found(within: HTMLElement, selector: string): HTMLElement {
  const part = within.querySelector<HTMLElement>(selector);
  if (part === null) throw new Error(`a row has no ${selector}`);
  return part;
}

const fill = (within: HTMLElement, selector: string, words: string): void => void (found(within, selector).textContent = words);
const named = (within: HTMLElement, selector: string, name: string): void => found(within, selector).setAttribute("aria-label", name);
