/** The window of a history: what is where in it, what is said in it, the list that lies over the text where there is no room beside it. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { tool } from "./changes.ts";

/** What stands in the window. */
export interface Parts {
  readonly timeline: HTMLElement;
  /** Of the version that is shown. */
  readonly facts: readonly HTMLElement[];
  readonly acts: readonly HTMLElement[];
  readonly looking: readonly HTMLElement[];
  readonly text: HTMLElement;
  /** Above and below the list. */
  readonly every: HTMLElement;
  readonly list: { readonly whole: HTMLElement; focus(): void };
  readonly more: HTMLElement;
  /** What a cloud keeps by itself. */
  readonly stored: HTMLElement;
}

export class Frame {
  readonly dialog: HTMLDialogElement;
  private readonly said = element("p", { class: "said", role: "status" });
  private readonly state = element("div", { class: "state", role: "status" });
  private readonly knob = button(t("history.list"), () => this.reveal(!this.listing), "plain knob");

  constructor(
    path: string,
    private readonly parts: Parts,
  ) {
    const close = tool("common.close", "close", () => this.dialog.close());
    const title = element("h2", { id: "history-title" }, t("history.title"), " ", element("bdi", {}, fileName(path)));
    const facts = element("div", { class: "facts" }, element("div", { class: "which" }, ...parts.facts), element("div", { class: "acts" }, ...parts.acts));
    const looking = element("div", { class: "looking" }, ...parts.looking);
    const head = element("header", {}, element("h3", {}, t("history.versions")), parts.every);
    const aside = element("aside", { "aria-label": t("history.versions") }, head, parts.list.whole, parts.more, parts.stored);
    const body = element("div", { class: "body" }, element("div", { class: "read" }, facts, looking, this.said, parts.text), aside);
    this.knob.setAttribute("aria-expanded", "false");
    this.dialog = element(
      "dialog",
      { class: "history", "aria-labelledby": "history-title", "data-state": "loading" },
      element("header", { class: "top" }, title, this.knob, close),
      parts.timeline,
      this.state,
      body,
    );
    this.dialog.addEventListener("cancel", (event) => {
      if (!this.listing) return;
      event.preventDefault();
      this.reveal(false);
    });
  }

  /** `loading`, `ready`, `empty` or `failed`. */
  get stands(): string | undefined {
    return this.dialog.dataset["state"];
  }

  stand(state: string, text: string, ...more: HTMLElement[]): void {
    this.dialog.dataset["state"] = state;
    this.state.replaceChildren(...(text === "" ? [] : [element("p", {}, text), ...more]));
  }

  say(text: string): void {
    this.said.textContent = text;
  }

  private get listing(): boolean {
    return this.dialog.classList.contains("listing");
  }

  /** Where there is no room beside the text, the list lies over it. */
  reveal(on: boolean): void {
    if (on === this.listing) return;
    this.dialog.classList.toggle("listing", on);
    this.knob.setAttribute("aria-expanded", String(on));
    if (on) this.parts.list.focus();
    else this.knob.focus();
  }
}
