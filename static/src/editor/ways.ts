/** What the page's menu and its keys do, whatever kind of document is shown. */

import { openSearchPanel } from "@codemirror/search";

import type { Desk } from "./desk.ts";
import { isMarkdown } from "./languages.ts";
import type { Modes } from "./modes.ts";
import { Paper } from "./paper.ts";

export interface Ways {
  /** The document's path under the root as of now. */
  readonly path: string;
  /** It can be shown as slides. */
  readonly slides: boolean;
  /** Who wrote what of it is known, by characters. */
  readonly authors: boolean;
  /** Give the keyboard to the document. */
  focus(): void;
  find(): void;
  print(): void;
  /** Show the list of keys. */
  keys(): void;
  /** Show the outline, or put it away; null: it has none. */
  readonly outline: (() => void) | null;
  /** Show another view of it; null: there is one only. */
  readonly next: (() => void) | null;
  /** A phone's keyboard came: keep in view what is being typed. */
  follow(): void;
}

/** The ways of a text. */
export function textWays(desk: Desk, modes: Modes): Ways {
  const { view } = desk;
  const paper = new Paper(desk, modes);
  const markdown = isMarkdown(desk.path);
  return {
    get path() {
      return desk.path;
    },
    slides: markdown,
    authors: true,
    focus: () => view.focus(),
    find: () => {
      if (modes.mode === "preview") void modes.set("source");
      openSearchPanel(view);
    },
    print: () => void paper.print(),
    keys: () => void import("./shortcuts.ts").then(({ showShortcuts }) => showShortcuts(desk)),
    outline: markdown ? () => void import("./outline.ts").then(({ toggleOutline }) => toggleOutline(desk, modes)) : null,
    next: modes.plain ? null : () => modes.next(),
    follow: () => {
      if (view.hasFocus) requestAnimationFrame(() => view.dispatch({ scrollIntoView: true }));
    },
  };
}
