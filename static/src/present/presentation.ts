/** A presentation: what keys, fingers, buttons and the speaker's window do to the slides of a document that others may be writing. */

import { editAddress } from "../base/api.ts";
import { element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { encoded, fileName, folderOf } from "../base/names.ts";
import { note, unnote } from "../base/notes.ts";
import { base } from "../base/page.ts";
import { printLight } from "../base/printing.ts";
import { watchDark } from "../preview/figures.ts";
import { refusal } from "../words/refusals.ts";
import { hashOf, placeIn } from "./address.ts";
import { controls, rest, showKeys } from "./controls.ts";
import { keyOf, pagesOf } from "./deck.ts";
import { gestures } from "./gestures.ts";
import { isTaken, strokeOf, type Command } from "./keys.ts";
import { refuse } from "./refused.ts";
import { newId, Remote, type Place } from "./remote.ts";
import { Show } from "./show.ts";
import { Source } from "./source.ts";
import { openSpeaker, Speaker } from "./speaker.ts";

export class Presentation {
  readonly view: Show | Speaker;
  private readonly id: string;
  private readonly remote: Remote;
  private readonly source: Source;
  private readonly tellPlace: ReturnType<typeof controls>;
  private black = false;
  private typed = "";
  private path: string;
  private reading = 0;

  /** `speaker` is the id of the presentation that this window belongs to, null: this is the presentation. */
  constructor(name: string, speaker: string | null) {
    this.path = name;
    this.id = speaker ?? newId();
    document.body.classList.add(speaker === null ? "showing" : "speaking");
    const stage = part("stage");
    const changed = ({ moved }: { moved: boolean }): void => this.changed(moved);
    this.view = speaker === null ? new Show(stage, this.render, changed) : new Speaker(stage, this.render, changed);
    this.view.at = placeIn(location.hash) ?? 0;
    this.remote = new Remote(this.id, { moved: (place) => this.follow(place), joined: () => this.tell(), left: () => this.left() });
    this.tellPlace = controls(part("controls"), (command) => this.run(command));
    this.listen(stage);
    this.source = this.connect(name);
    this.renamed(name);
    if (speaker !== null) this.remote.greet();
  }

  private readonly render = async (markdown: string): Promise<Node> => {
    try {
      const { rendered } = await import("../preview/render.ts");
      return await rendered(markdown, folderOf(this.path));
    } catch {
      return element("div", {}, element("p", {}, t("present.failed")), element("pre", {}, element("code", {}, markdown)));
    }
  };

  private listen(stage: HTMLElement): void {
    addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("hashchange", () => this.view.go(placeIn(location.hash) ?? this.view.at));
    watchDark(() => void this.view.redraw());
    printLight();
    gestures(stage, (to) => {
      if (!this.overview) this.run(to);
    });
    part("black").addEventListener("click", () => this.run("black"));
    if (this.view instanceof Show) rest();
  }

  private connect(name: string): Source {
    return new Source(name, {
      read: (text) => void this.read(text),
      linked: (linked) => this.linked(linked),
      renamed: (path) => this.renamed(path),
      refused: (reason) => this.refused(reason),
      admitted: () => unnote("refusal"),
    });
  }

  private async read(text: string): Promise<void> {
    this.reading += 1;
    const { reading } = this;
    const pages = await pagesOf(text);
    // A newer text is being read.
    if (reading !== this.reading) return;
    part("stage").setAttribute("aria-busy", "false");
    part("empty").hidden = pages.length > 0;
    this.view.update(pages);
  }

  private get overview(): boolean {
    return this.view instanceof Show && this.view.overview;
  }

  private changed(moved: boolean): void {
    const { at, pages } = this.view;
    const count = pages.length;
    this.tellPlace(count === 0 ? "" : `${at + 1} / ${count}`, { first: at === 0, last: at >= count - 1 });
    part("progress").style.setProperty("--part", String(count > 1 ? at / (count - 1) : 1));
    if (count > 0 && location.hash !== hashOf(at)) history.replaceState(history.state, "", hashOf(at));
    if (!moved) return;
    part("said").textContent = this.view.label();
    this.tell();
  }

  private tell(): void {
    const { at, pages } = this.view;
    const page = pages[at];
    if (page) this.remote.tell({ at, key: keyOf(page), black: this.black });
  }

  private follow({ at, key, black }: Place): void {
    unnote("alone");
    this.darken(black);
    const index = this.view.find(key, at);
    // Told again, it would go back and forth.
    if (index !== this.view.at) this.view.go(index);
  }

  private left(): void {
    if (this.view instanceof Speaker) note("alone", { text: t("present.alone") });
  }

  private pressed(event: KeyboardEvent): void {
    if (isTaken(event.target, event.key) || event.isComposing) return;
    const stroke = strokeOf(event, this.typed);
    if (stroke === null) return;
    if ("command" in stroke && this.isScrolled(event)) return;
    event.preventDefault();
    if ("digit" in stroke) return this.type(stroke.digit);
    const { typed } = this;
    this.type("");
    if ("go" in stroke) this.view.go(stroke.go - 1);
    else if (stroke.command !== "leave" || typed === "") this.run(stroke.command, event.key);
  }

  /** In the overview the arrows up and down are the browser's: they go through what is focused, see `run`. */
  private isScrolled(event: KeyboardEvent): boolean {
    return this.overview && (event.key === "PageUp" || event.key === "PageDown" || event.key === " ");
  }

  private type(digit: string): void {
    this.typed = digit === "" ? "" : (this.typed + digit).slice(0, 4);
    part("typed").hidden = this.typed === "";
    part("typed").textContent = t("present.typed", { number: this.typed });
  }

  private run(command: Command, key = ""): void {
    const { view } = this;
    if (this.black && command !== "full" && command !== "keys") {
      this.darken(false);
      this.tell();
      // The first key only gives the light back.
      if (command === "black" || command === "leave") return;
    }
    const acts: Readonly<Record<Command, () => void>> = {
      next: () => this.step(true, key),
      back: () => this.step(false, key),
      first: () => view.go(0),
      last: () => view.go(view.pages.length - 1),
      full: () => void fullScreen(),
      overview: () => view instanceof Show && view.setOverview(!view.overview),
      black: () => this.blacken(),
      speaker: () => this.speaker(),
      keys: () => showKeys(),
      print: () => void this.print(),
      leave: () => this.leave(),
    };
    acts[command]();
  }

  private step(down: boolean, key: string): void {
    if (this.view instanceof Show && this.view.overview) this.view.walk(down, key.endsWith("Up") || key.endsWith("Down"));
    else this.view.step(down);
  }

  private blacken(): void {
    this.darken(true);
    this.tell();
    part("said").textContent = t("present.blackOn");
  }

  private darken(black: boolean): void {
    this.black = black;
    part("black").hidden = !black;
  }

  private speaker(): void {
    if (this.view instanceof Speaker) return;
    unnote("speaker");
    if (openSpeaker(this.id) !== null) return;
    note("speaker", { text: t("present.speakerBlocked"), acts: [{ label: t("common.close"), act: () => unnote("speaker") }] });
  }

  private async print(): Promise<void> {
    if (this.view instanceof Show) await this.view.complete();
    print();
  }

  private leave(): void {
    if (this.overview && this.view instanceof Show) return this.view.setOverview(false);
    if (this.view instanceof Speaker) return close();
    leave(editAddress(this.path));
  }

  private linked(linked: boolean): void {
    part("link").textContent = linked ? "" : t("present.lost");
  }

  private renamed(path: string): void {
    this.path = path;
    const name = path.startsWith("id:") ? t("common.document") : fileName(path);
    part("title").textContent = t("present.title", { name });
    document.title = `${t("present.title", { name })} · collab`;
    if (!path.startsWith("id:")) history.replaceState(null, "", `${base}/present/${encoded(path)}${location.search}${location.hash}`);
  }

  private refused(reason: string): void {
    const said = refusal(reason);
    if (said === null) return;
    const old = this.view.pages.length > 0 ? ` ${t("present.ended")}` : "";
    part("stage").setAttribute("aria-busy", "false");
    refuse({ ...said, text: said.text + old }, { folder: folderOf(this.path), retry: () => this.source.retry() });
  }
}

async function fullScreen(): Promise<void> {
  // Browsers refuse it in some places; the slides are shown all the same.
  if (document.fullscreenElement === null) await document.documentElement.requestFullscreen().catch(() => {});
  else await document.exitFullscreen();
}

/** Back to the editor: to the tab that opened this one when it still shows the document. */
function leave(editor: string): void {
  const from = (window.opener ?? null) as Window | null;
  try {
    if (from !== null && !from.closed && from.location.pathname === new URL(editor, location.href).pathname) {
      from.focus();
      return close();
    }
  } catch {
    // It shows something of somebody else by now.
  }
  location.assign(editor);
}
