/** What else can be done with a document. */

import { lease, readAddress } from "../base/api.ts";
import { element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { encoded } from "../base/names.ts";
import type { Act } from "../base/notes.ts";
import { base } from "../base/page.ts";
import { viewOnly } from "../base/viewing.ts";
import type { Ways } from "./ways.ts";

interface Item {
  label: Key;
  icon: Icon;
  act: () => void;
}

export class Menu {
  private readonly menu = part("menu");

  constructor(
    private readonly ways: Ways,
    private readonly download: () => Act,
    private readonly readOnly: () => boolean,
  ) {
    part("more").append(icon("menu"));
    this.menu.replaceChildren(...this.items().map((item) => this.row(item)));
    this.menu.addEventListener("keydown", (event) => this.walk(event));
    this.menu.addEventListener("beforetoggle", ({ newState }) => {
      const share = this.menu.querySelector<HTMLElement>("[data-act='sharing.menu']");
      if (share !== null) share.hidden = this.readOnly();
      // A tab of its own has no token: in a frame of another site there is no way to it.
      if (newState === "open" && lease === null) void this.offer();
    });
    this.menu.addEventListener("toggle", () => {
      if (this.menu.matches(":popover-open")) this.menu.querySelector<HTMLElement>("button:not([hidden])")?.focus();
    });
  }

  private items(): Item[] {
    const { ways } = this;
    const slides = (): void => void open(`${base}/present/${encoded(ways.path)}`, "_blank");
    return [
      { label: "sharing.menu", icon: "share", act: () => dispatchEvent(new CustomEvent("collab-share")) },
      { label: "editor.menu.find", icon: "search", act: () => ways.find() },
      ...(ways.outline === null ? [] : [{ label: "editor.menu.outline", icon: "outline", act: ways.outline } as const]),
      // A tab of its own has no token: in a frame of another site there is no way to it.
      ...(ways.slides && lease === null ? [{ label: "editor.menu.present", icon: "present", act: slides } as const] : []),
      ...(viewOnly ? [] : this.outward()),
      { label: "editor.menu.attachments", icon: "image", act: () => this.attachments() },
      { label: "about.menu", icon: "tag", act: () => dispatchEvent(new CustomEvent("collab-about")) },
      ...(ways.authors ? [{ label: "authors.menu", icon: "people", act: () => void dispatchEvent(new CustomEvent("collab-authors")) } as const] : []),
      { label: "editor.menu.keys", icon: "keys", act: () => ways.keys() },
      { label: "editor.menu.settings", icon: "settings", act: () => void import("../settings/dialog.ts").then(({ showSettings }) => showSettings()) },
    ];
  }

  /** What takes the text out of this page, or older ones into it. */
  private outward(): Item[] {
    const read = (): void => location.assign(readAddress(this.ways.path));
    return [
      ...(lease === null ? [{ label: "editor.menu.read", icon: "preview", act: read } as const] : []),
      { label: "editor.menu.print", icon: "print", act: () => this.ways.print() },
      { label: "editor.menu.history", icon: "history", act: () => dispatchEvent(new CustomEvent("collab-history")) },
      { label: "editor.menu.download", icon: "download", act: () => follow(this.download()) },
    ];
  }

  private attachments(): void {
    void import("./attachments.ts").then(({ showAttachments }) => showAttachments(this.ways.path, this.readOnly()));
  }

  /** "Open with": each suite, and what it does with such a file. */
  private async offer(): Promise<void> {
    const { knownSuites, labelOf, offers, officeAddress } = await import("../office/offers.ts");
    await knownSuites();
    const { path } = this.ways;
    for (const former of this.menu.querySelectorAll("[data-act^='office.open']")) former.remove();
    const rows = offers(path, this.readOnly()).map((offer) => {
      const act = (): void => void open(officeAddress(path, offer), "_blank", "noopener");
      return this.row({ label: `office.open.${offer.action}`, icon: offer.action === "edit" ? "pencil" : "preview", act }, labelOf(offer));
    });
    this.menu.querySelector("[data-act='editor.menu.print']")?.before(...rows);
  }

  private row({ label, icon: picture, act }: Item, words = t(label)): HTMLButtonElement {
    const made = element("button", { type: "button", "data-act": label }, icon(picture), words);
    made.addEventListener("click", () => {
      this.menu.hidePopover();
      act();
    });
    return made;
  }

  /** Arrow keys, as in every menu. */
  private walk(event: KeyboardEvent): void {
    const rows = [...this.menu.querySelectorAll<HTMLElement>("button:not([hidden])")];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[(to + rows.length) % rows.length]?.focus();
  }
}

function follow({ act, download }: Act): void {
  if (typeof act !== "string") return act();
  element("a", download === undefined ? { href: act } : { href: act, download }).click();
}
