/** While the document comes: that it opens, and how much that is. */

import { bytes } from "../base/show.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { described } from "./bin.ts";

/** Milliseconds after which one is told that something is under way, and how much: most documents are there before. */
const SOON = 300;
const LONG = 1000;

export class Opening {
  private readonly text = element("p", { role: "status" });
  private readonly shown = element("div", { class: "opening" }, this.text);
  private readonly timers: ReturnType<typeof setTimeout>[];

  constructor(
    private readonly parent: HTMLElement,
    name: string,
  ) {
    this.timers = [setTimeout(() => this.say(t("editor.opening")), SOON), setTimeout(() => void this.measure(name), LONG)];
  }

  /** It is here, or it will not come. */
  end(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.length = 0;
    this.shown.remove();
    this.parent.setAttribute("aria-busy", "false");
  }

  private say(words: string): void {
    this.text.textContent = words;
    if (!this.shown.isConnected) this.parent.append(this.shown);
  }

  private async measure(name: string): Promise<void> {
    this.shown.append(element("progress", { "aria-label": t("editor.opening") }));
    const found = await described(name);
    if (found !== null && this.timers.length > 0) this.say(t("words.opening.size", { size: bytes(found.size) }));
  }
}
