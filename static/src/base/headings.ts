/** The panel of headings beside a text: its frame, its keys, and the list, one below the other as they are in the text. */

import "../styles/outline.css";
import { button, element } from "./dom.ts";
import { icon } from "./icons.ts";
import { t } from "./messages.ts";

/** With less room than this the outline lies over the text. */
export const NARROW = matchMedia("(max-width: 59.99rem)");

/** What a heading without words is called. */
export const named = (text: string): string => text || t("editor.outline.untitled");

/** The frame of the panel, around what is listed: a title, a button that puts it away, keys that go from row to row. */
export function frame(parent: HTMLElement, listed: HTMLElement, close: () => void): void {
  const away = button("", close, "pic");
  away.append(icon("close"));
  away.setAttribute("aria-label", t("common.close"));
  parent.replaceChildren(element("header", {}, element("h2", {}, t("editor.outline")), away), listed);
  parent.addEventListener("keydown", (event) => walk(event, parent, close));
  document.addEventListener("pointerdown", ({ target }) => {
    if (!parent.hidden && NARROW.matches && target instanceof Node && !parent.contains(target)) close();
  });
}

function walk(event: KeyboardEvent, parent: HTMLElement, close: () => void): void {
  const rows = [...parent.querySelectorAll("button")];
  const at = rows.indexOf(document.activeElement as HTMLButtonElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (event.key === "Escape") close();
  else if (to !== undefined) rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
  else return;
  event.preventDefault();
}

/** Rows in lists that are as deep as their levels. */
export function nested(rows: readonly { level: number; row: HTMLElement }[]): HTMLElement {
  const root = element("ul");
  const open: { level: number; list: HTMLElement; item: HTMLElement | null }[] = [{ level: 0, list: root, item: null }];
  for (const { level, row } of rows) {
    while (open.length > 1 && (open.at(-1)?.level ?? 0) > level) open.pop();
    let last = open.at(-1);
    if (last !== undefined && last.item !== null && last.level < level) {
      const list = element("ul");
      last.item.append(list);
      open.push((last = { level, list, item: null }));
    }
    if (last === undefined) continue;
    last.item = element("li", {}, row);
    last.level = level;
    last.list.append(last.item);
  }
  return root;
}
