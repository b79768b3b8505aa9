/** A field in which somebody is looked for by name (WAI-ARIA APG, combobox with a list of options). */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { LEAST, parties, type Kind, type Subject } from "./shares.ts";

/** Milliseconds without a key until the server is asked. */
const PAUSE = 200;

export class Picker {
  readonly input: HTMLInputElement;
  readonly element: HTMLElement;
  private readonly options = element("ul", { id: "share-found", role: "listbox", "aria-label": t("sharing.found"), hidden: true });
  private readonly said = element("p", { class: "hint", role: "status" });
  private found: Subject[] = [];
  private at = -1;
  private chosen: Subject | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = new AbortController();

  constructor(
    private readonly kinds: ReadonlySet<Kind>,
    private readonly changed: (chosen: Subject | null) => void,
  ) {
    this.input = element("input", {
      id: "share-with",
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-controls": "share-found",
      "aria-expanded": "false",
      placeholder: t("sharing.with.hint"),
    });
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.element = element("div", { class: "picker" }, element("label", { for: "share-with" }, t("sharing.with")), this.input, this.options, this.said);
  }

  /** Whom the field names; null while it names nobody. */
  get who(): Subject | null {
    return this.chosen;
  }

  clear(): void {
    this.input.value = "";
    this.choose(null);
    this.said.textContent = "";
  }

  /** Somebody has to be chosen first. */
  missing(): void {
    this.said.textContent = t("sharing.with.missing");
    this.input.focus();
  }

  private typed(): void {
    this.choose(null);
    clearTimeout(this.timer);
    this.asking.abort();
    const words = this.input.value.trim();
    if (words.length < LEAST) return this.show([], "");
    this.timer = setTimeout(() => void this.look(words), PAUSE);
  }

  private async look(words: string): Promise<void> {
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const found = (await parties(words, signal)).filter((each) => this.kinds.has(each.kind));
      if (!signal.aborted) this.show(found, found.length === 0 ? t("sharing.nobody") : t("sharing.found.count", { n: found.length }));
    } catch (problem) {
      if (!signal.aborted) this.show([], problem instanceof Error ? problem.message : String(problem));
    }
  }

  private show(found: readonly Subject[], said: string): void {
    this.found = [...found];
    this.at = -1;
    this.said.textContent = said;
    this.options.replaceChildren(...found.map((each, index) => this.option(each, index)));
    this.open(found.length > 0);
  }

  private option(who: Subject, index: number): HTMLElement {
    const kind = who.kind === "group" ? element("span", { class: "tag" }, t("sharing.group")) : null;
    const detail = who.detail ? element("bdi", { class: "detail" }, who.detail) : null;
    const made = element("li", { id: `share-found-${index}`, role: "option", "aria-selected": "false" }, element("bdi", {}, who.name), kind, detail);
    // The field would lose the focus, and close the list, before the press is one.
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    made.addEventListener("click", () => this.take(who));
    return made;
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape" && !this.options.hidden) {
      // The window stays.
      event.preventDefault();
      event.stopPropagation();
      return this.close();
    }
    const one = this.found[this.at];
    if (event.key === "Enter" && !this.options.hidden && one !== undefined) {
      event.preventDefault();
      return this.take(one);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || this.found.length === 0) return;
    event.preventDefault();
    this.open(true);
    this.mark((this.at + step + this.found.length) % this.found.length);
  }

  private mark(at: number): void {
    this.options.children[this.at]?.setAttribute("aria-selected", "false");
    this.at = at;
    const option = this.options.children[at];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option?.id ?? "");
  }

  private take(who: Subject): void {
    this.input.value = who.name;
    this.said.textContent = "";
    this.choose(who);
    this.close();
  }

  private choose(who: Subject | null): void {
    if (who === this.chosen) return;
    this.chosen = who;
    this.changed(who);
  }

  private open(open: boolean): void {
    this.options.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.input.removeAttribute("aria-activedescendant");
  }

  private close(): void {
    this.open(false);
  }
}
