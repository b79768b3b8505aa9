/** Find words in the sources of all cells, drawn or not. */

import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { plain } from "../editor/text.ts";
import type { CellView } from "./cell.ts";
import type { NotebookPage } from "./page.ts";

/** More are not counted. */
const MOST = 9999;
/** Milliseconds of rest before the cells are searched again. */
const PAUSE = 150;

interface Match {
  view: CellView;
  from: number;
  to: number;
}

/** All places of the words, in any case. */
export function matches({ list }: Pick<NotebookPage, "list">, words: string): Match[] {
  if (words === "") return [];
  // Letters of any kind as they are, in either case: "İ" has more letters when it is small, so that texts are not folded.
  const pattern = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu");
  const found: Match[] = [];
  for (const view of list.views) {
    for (const { index, 0: match } of view.text === null ? [] : plain(view.text).matchAll(pattern)) {
      found.push({ view, from: index, to: index + match.length });
      if (found.length >= MOST) return found;
    }
  }
  return found;
}

class Find {
  private readonly words = element("input", { type: "search", name: "search", "aria-label": t("editor.find.find"), placeholder: t("editor.find.find"), autocomplete: "off", spellcheck: "false" });
  private readonly count = element("span", { class: "found", role: "status" });
  readonly dom = element(
    "div",
    { class: "find nb-find", role: "search", "aria-label": t("notebook.act.find"), hidden: true },
    element("div", { class: "line" }, element("div", { class: "words-field" }, this.words, this.count), pic("up", "editor.find.previous", () => this.step(-1)), pic("down", "editor.find.next", () => this.step(1)), pic("close", "common.close", () => this.close())),
  );
  private found: Match[] = [];
  private at = -1;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly page: NotebookPage) {
    this.words.addEventListener("input", () => this.look());
    this.dom.addEventListener("keydown", (event) => this.key(event));
    page.watch(() => {
      if (this.dom.hidden) return;
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.look(), PAUSE);
    });
  }

  open(): void {
    this.dom.hidden = false;
    const selected = this.page.view?.state.selection.main;
    const words = selected === undefined || selected.empty ? "" : (this.page.view?.state.sliceDoc(selected.from, selected.to) ?? "");
    if (words !== "" && !words.includes("\n")) this.words.value = words;
    this.words.focus();
    this.words.select();
    this.look();
  }

  private close(): void {
    this.dom.hidden = true;
    const match = this.found[this.at];
    if (match === undefined) this.page.focus();
    else this.page.mark(match.view, match.from, match.to, true);
  }

  private look(): void {
    const before = this.found[this.at];
    this.found = matches(this.page, this.words.value);
    this.at = before === undefined ? -1 : this.found.findIndex(({ view, from }) => view === before.view && from === before.from);
    this.say();
  }

  private step(by: 1 | -1): void {
    if (this.found.length === 0) return;
    const start = this.at < 0 && by < 0 ? 0 : this.at;
    this.at = (start + by + this.found.length) % this.found.length;
    const match = this.found[this.at];
    if (match !== undefined) this.page.mark(match.view, match.from, match.to, false);
    this.say();
  }

  private say(): void {
    const all = this.found.length;
    this.count.textContent = this.words.value === "" ? "" : all === 0 ? t("editor.find.none") : this.at < 0 ? t("editor.find.count", { n: all }) : t("editor.find.which", { current: this.at + 1, all });
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && event.target === this.words) this.step(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
  }
}

function pic(picture: Icon, label: "editor.find.previous" | "editor.find.next" | "common.close", act: () => void): HTMLButtonElement {
  const made = button("", act, "pic");
  made.append(icon(picture));
  made.setAttribute("aria-label", t(label));
  made.title = t(label);
  return made;
}

let made: Find | null = null;

/** Show the line to find words with, above the cells. */
export function find(page: NotebookPage): void {
  if (made === null) {
    made = new Find(page);
    page.above(made.dom);
  }
  made.open();
}
