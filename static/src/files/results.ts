/** What was found in all documents, below the list: in order, while the search goes on. */

import "../styles/files-results.css";

import type { Item } from "../base/api.ts";
import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { spoken, t } from "../base/messages.ts";
import type { Board } from "./board.ts";
import { entryOf, openAddress, folderOfEntry, kindOf } from "./entries.ts";
import { failure } from "./failures.ts";
import { addressOf, inFolder } from "./place.ts";
import { pieces, search, type Match, type News } from "./search.ts";
import { say } from "./toasts.ts";

/** Lines of one document that are shown: more would hide the next document. */
const LINES = 4;

export class Results {
  private readonly section = part("results");
  private readonly rows = element("ol", { class: "found" });
  private readonly progress = element("p", { class: "hint" });
  private readonly wider = element("p", { class: "hint" });
  private abort: AbortController | null = null;

  constructor(
    private readonly board: Board,
    private readonly widen: () => void,
  ) {
    this.section.append(element("h2", { id: "results-title" }, t("files.results")), this.progress, this.wider, this.rows);
    this.section.addEventListener("keydown", (event) => this.walk(event));
  }

  /** Look for this from now on, and for nothing else; "" ends it. */
  async find(query: string, everywhere = false): Promise<void> {
    this.abort?.abort();
    this.rows.replaceChildren();
    this.wider.replaceChildren();
    this.section.hidden = query === "";
    if (query === "") return;
    const abort = new AbortController();
    this.abort = abort;
    const folder = everywhere ? "" : this.board.place.folder;
    const wider = button(t("files.results.wider"), this.widen, "quiet");
    if (folder !== "") this.wider.append(t("files.results.within", { folder }), " ", wider);
    await this.follow(query, folder, abort.signal);
  }

  /** The first result, if there is one. */
  focus(): boolean {
    const [first] = this.links();
    first?.focus();
    return first !== undefined;
  }

  private async follow(query: string, folder: string, signal: AbortSignal): Promise<void> {
    let found = 0;
    let searched = 0;
    this.tell(searched, false);
    try {
      for await (const news of search(query, folder, signal)) {
        if ("document" in news) found += this.add(news);
        else {
          searched = news.searched;
          this.tell(searched, news.done === true, found, news.more === true);
        }
      }
    } catch (problem) {
      if (signal.aborted) return;
      this.progress.replaceChildren(failure(problem), " ", button(t("common.retry"), () => void this.find(query, folder === ""), "quiet"));
      say(failure(problem));
    }
  }

  private tell(searched: number, done: boolean, found = 0, more = false): void {
    const words = [t(done ? "files.results.searched" : "files.results.searching", { n: searched })];
    const none = this.board.grid.order.length > 0 ? "files.results.names" : "files.results.none";
    if (done) words.unshift(found > 0 ? t("files.results.count", { n: found }) : t(none));
    if (more) words.push(t("files.results.more"));
    this.progress.textContent = words.join(" ");
    this.section.setAttribute("aria-busy", String(!done));
    if (done) say(words.join(" "));
  }

  private add({ document, matches }: Extract<News, { document: Item }>): number {
    const entry = entryOf(document);
    // A name in this list is seen there.
    if (matches.length === 0 && this.board.grid.entry(entry.key) !== null) return 0;
    const href = entry.isFolder ? addressOf(inFolder(entry.path)) : openAddress(entry);
    const folder = element("span", { class: "origin" }, folderOfEntry(entry) || t("files.root"));
    const title = element("a", { href, class: "document" }, icon(kindOf(entry)), element("bdi", {}, entry.name), " ", folder);
    const shown = matches.slice(0, LINES).map((match) => element("li", {}, this.line(match, href)));
    const rest = matches.length - shown.length;
    if (rest > 0) shown.push(element("li", { class: "hint" }, t("files.results.lines", { n: rest })));
    this.rows.append(element("li", {}, title, shown.length === 0 ? null : element("ol", {}, ...shown)));
    return 1;
  }

  private line({ line, text, ranges }: Match, href: string): HTMLElement {
    const words = pieces(text, ranges).map((piece) => (piece.hit ? element("mark", {}, piece.text) : piece.text));
    const said = element("span", { class: "away" }, `${t("files.results.line")} `);
    const number = element("span", { class: "line" }, said, line.toLocaleString(spoken()), " ");
    return element("a", { href: `${href}#L${line}` }, number, element("span", { dir: "auto" }, ...words));
  }

  private links(): HTMLElement[] {
    return [...this.rows.querySelectorAll<HTMLElement>("a")];
  }

  private walk(event: KeyboardEvent): void {
    const links = this.links();
    const at = links.findIndex((each) => each === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    if (to >= 0) return void links[Math.min(to, links.length - 1)]?.focus();
    if (this.board.grid.order.length > 0) this.board.grid.focus(this.board.grid.order.at(-1) ?? "");
    else part("find").focus();
  }
}
