/** What a Markdown document looks like, beside its source or instead of it. */

import type { Line } from "@codemirror/state";
import type { ViewUpdate } from "@codemirror/view";

import "../styles/preview.css";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { folderOf } from "../base/names.ts";
import type { Desk } from "../editor/desk.ts";
import { boxes } from "./boxes.ts";
import { dressed } from "./dress.ts";
import { Drawings, type Drawing } from "./drawings.ts";
import { Feed } from "./feed.ts";
import { watchDark } from "./figures.ts";
import { loaded } from "./pictures.ts";
import { anchored } from "./render.ts";
import { reworded } from "./reworded.ts";
import type { Patch } from "./letters.ts";
import { morph } from "./morph.ts";
import { Sheet } from "./sheet.ts";
import { presses } from "./presses.ts";
import { boxIn, fingerprint, type Box } from "./tasks.ts";
import { Together } from "./together.ts";

/** Frames for which the way to a place is sought that is not drawn yet. */
const LOOKS = 60;

/** What has a use of its own for clicks. */
const CONTROLS = "a, button, input, summary, .md-code, .md-diagram";

/** A box, and where it is in the text as it is now. */
interface Found {
  line: Line;
  box: Box;
}

export class Preview {
  private readonly drawings = new Drawings();
  private readonly sheet: Sheet;
  private readonly feed: Feed;
  private readonly together: Together;
  private readonly notice = element("p", { class: "md-notice", role: "status" });
  private folder: string;
  private both = false;

  constructor(
    readonly parent: HTMLElement,
    readonly desk: Desk,
  ) {
    this.folder = folderOf(desk.path);
    this.sheet = new Sheet(parent, {
      make: (html, warm, old) => this.block(html, warm, old),
      made: (block) => this.tickAsNow(block),
      reword: reworded,
      near: (blocks) => this.drawings.draw(blocks),
      gone: (block) => this.drawings.forget(block),
    });
    this.feed = new Feed(
      (patch, all) => this.take(patch, all),
      () => this.failed(),
    );
    this.together = new Together(desk.view, parent, this.sheet, this.feed);
    parent.replaceChildren(this.notice, this.sheet.element);
    // It scrolls, by the keyboard too.
    parent.tabIndex = 0;
    this.listen();
  }

  /** Follow the text from now on; scroll together with the source when both are shown. */
  show(together: boolean): void {
    this.both = together;
    this.feed.start(this.desk.view.state.doc);
    if (together) this.together.start();
    else this.together.alone();
  }

  /** Rest: nobody looks. */
  hide(): void {
    this.feed.rest();
    this.together.stop();
  }

  /** Resolved when everything, far below the screen too, is drawn as it is now: for print. */
  async complete(): Promise<void> {
    this.feed.start(this.desk.view.state.doc);
    await this.feed.settled();
    await this.sheet.complete();
    await this.drawings.complete();
    await loaded(this.sheet.element);
  }

  /** The block in which a place of the text is shown. */
  elementAt(offset: number): HTMLElement | null {
    return this.sheet.elementOf(Math.max(0, this.sheet.blockAt(this.feed.line(offset))));
  }

  /** Bring a place of the text into view. */
  reveal(offset: number): void {
    this.together.lead("preview");
    void this.centre(() => this.elementAt(offset));
  }

  private listen(): void {
    this.desk.watch(({ docChanged, changes, state }: ViewUpdate) => {
      if (docChanged) this.feed.changes(changes, state.doc);
    });
    this.desk.watchDocument(() => this.documentChanged());
    watchDark(() => this.sheet.again());
    const { element: root } = this.sheet;
    root.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement && boxes.has(target)) this.tick(target);
    });
    presses(root, () => this.feed.hold(), () => this.feed.release());
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("dblclick", (event) => this.goToSource(event));
    addEventListener("afterprint", () => this.sheet.release());
    addEventListener("hashchange", () => void this.goTo(location.hash));
  }

  /** What somebody is typing is drawn at once, if that needs no waiting. */
  private block(html: string, warm: boolean, old?: HTMLElement): HTMLElement {
    const { folder, desk } = this;
    const made = element("div", { class: "md-block" });
    const drawings: Drawing[] = [];
    made.append(dressed(html, { folder, readOnly: desk.readOnly, drawing: (drawing) => drawings.push(drawing) }));
    const left = warm ? drawings.filter((drawing) => !drawing.now()) : drawings;
    const same = old !== undefined && !this.drawings.awaits(old) && left.every(({ minor }) => minor === true) ? old : made;
    if (same !== made) morph(same, made);
    this.drawings.add(same, left);
    return same;
  }

  private take(patch: Patch, all: boolean): void {
    if (all) this.sheet.clear();
    this.sheet.apply(patch);
    // What front matter says of the text's language is the editor's to know.
    const { lang } = this.desk.view.contentDOM;
    // Even the same again would style everything anew.
    if (this.sheet.element.lang !== lang) this.sheet.element.lang = lang;
    this.say(this.sheet.length === 0 ? t("preview.empty") : "");
    if (!all) return;
    if (location.hash !== "") void this.goTo(location.hash);
    else if (this.both) this.together.lead("source");
    else this.together.alone();
  }

  private say(words: string, ...acts: HTMLElement[]): void {
    if (this.notice.textContent === words) return;
    this.notice.replaceChildren(words, ...acts);
  }

  private failed(): void {
    this.say(t("preview.failed"), element("br"), button(t("common.retry"), () => this.feed.start(this.desk.view.state.doc)));
  }

  private documentChanged(): void {
    const { readOnly, path } = this.desk;
    for (const box of this.sheet.element.querySelectorAll<HTMLInputElement>(".md-box")) box.disabled = readOnly;
    if (this.folder === folderOf(path)) return;
    this.folder = folderOf(path);
    this.sheet.again();
  }

  /** A box of the block that begins at the line `first`; null when the box's own has become another. */
  private find(box: HTMLInputElement, first: number): Found | null {
    const { doc } = this.desk.view.state;
    const place = this.feed.place(first + (boxes.get(box) ?? 0));
    if (place === null) return null;
    const line = doc.lineAt(Math.min(place.at, doc.length));
    const found = boxIn(line.text);
    return found !== null && fingerprint(line.text) === fingerprint(place.was) ? { line, box: found } : null;
  }

  /** What was ticked since a block's text was written stays so until the block with it is here. */
  private tickAsNow(block: HTMLElement): void {
    if (!this.feed.behind) return;
    const { first } = this.sheet.linesOf(this.sheet.indexOf(block));
    for (const box of block.querySelectorAll<HTMLInputElement>(".md-box")) box.checked = this.find(box, first)?.box.ticked ?? box.checked;
  }

  /** One character of one line, as a step of its own to undo. A line that has become another is left alone. */
  private tick(box: HTMLInputElement): void {
    const { view, undo, readOnly } = this.desk;
    const found = this.find(box, this.sheet.linesOf(this.sheet.indexOf(box)).first);
    if (readOnly || found === null) return void (box.checked = !box.checked);
    if (found.box.ticked === box.checked) return;
    undo.stopCapturing();
    const from = found.line.from + found.box.at;
    view.dispatch({ changes: { from, to: from + 1, insert: box.checked ? "x" : " " }, userEvent: "input.tick" });
    undo.stopCapturing();
  }

  private clicked(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const hash = link.getAttribute("href") ?? "";
    history.replaceState(history.state, "", hash);
    void this.goTo(hash);
  }

  private async goTo(hash: string): Promise<void> {
    // A line of the source.
    if (/^#L\d+$/.test(hash)) return;
    const known = anchored(this.sheet.element, hash);
    if (known === null) await this.sheet.complete();
    const found = known ?? anchored(this.sheet.element, hash);
    if (found !== null) await this.jump(found);
    if (known === null) this.sheet.release();
  }

  private async jump(found: HTMLElement): Promise<void> {
    this.together.lead("preview");
    if (!found.matches("a, button")) found.tabIndex = -1;
    found.focus({ preventScroll: true });
    // What is far is laid out only when it comes near, and is then of another height.
    for (let look = 0; look < 4; look += 1) {
      found.scrollIntoView({ block: "start" });
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  }

  private async centre(found: () => HTMLElement | null): Promise<void> {
    let settled = 0;
    for (let look = 0; look < LOOKS && settled < 4; look += 1) {
      const place = found();
      place?.scrollIntoView({ block: "center" });
      await new Promise((resolve) => requestAnimationFrame(resolve));
      // A group that is not drawn yet stands somewhere near its block only.
      if (place !== null && !place.matches(".md-group")) settled += 1;
    }
  }

  /** The caret goes to the line of the block that was double-clicked. */
  private goToSource({ target, clientY }: MouseEvent): void {
    if (!this.both || !(target instanceof Element) || target.closest(CONTROLS) !== null) return;
    const block = target.closest(".md-block");
    const index = block === null ? -1 : this.sheet.indexOf(block);
    if (block === null || index < 0) return;
    const { top, height } = block.getBoundingClientRect();
    const { first, end } = this.sheet.linesOf(index);
    const place = this.feed.place(first + Math.floor(((clientY - top) / Math.max(1, height)) * Math.max(0, end - first - 1)));
    if (place === null) return;
    const { view } = this.desk;
    view.dispatch({ selection: { anchor: Math.min(place.at, view.state.doc.length) }, scrollIntoView: true });
    view.focus();
  }
}
