/** The window "Tags and description": chips and a field, for who may change them; what others change meanwhile is there at once. */

import "../styles/about.css";

import { Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { buttons, dialog } from "../files/dialog.ts";
import { Draft, typed } from "./draft.ts";
import { MOST, read, write, type About } from "./metadata.ts";

export interface Subject {
  /** Its id or path. */
  readonly document: string;
  /** What people call it. */
  readonly name: string;
  readonly readOnly: boolean;
  /** It says something else now. */
  changed?(about: About): void;
}

let open: AboutWindow | null = null;

/** Show what is said about a document. */
export function showAbout(subject: Subject): void {
  open?.close();
  open = new AboutWindow(subject, () => (open = null));
}

/** The server says what is said about the document of this page now. */
export function heard(about: About): void {
  open?.hear(about);
}

class AboutWindow {
  private readonly window: HTMLDialogElement;
  private readonly body = element("div", { class: "said-about" });
  private readonly state = element("p", { class: "hint", role: "status" }, t("about.reading"));
  private readonly chips = element("ul", { class: "chips", "aria-label": t("about.tags") });
  private readonly field = element("input", { id: "about-tag", type: "text", autocomplete: "off", "aria-describedby": "about-tag-hint" });
  private readonly text = element("textarea", { id: "about-description", rows: "6", maxlength: String(MOST.description) });
  private readonly save = button(t("about.save"), () => void this.put(), "primary");
  private draft: Draft | null = null;

  constructor(
    private readonly subject: Subject,
    closed: () => void,
  ) {
    this.window = dialog(t("about.title", { name: subject.name }), "small about", this.body, this.state);
    this.window.addEventListener("close", closed);
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => /[,\n]/.test(this.field.value) && this.take());
    this.text.addEventListener("input", () => this.wrote());
    void this.begin();
  }

  close(): void {
    this.window.close();
  }

  hear(about: About): void {
    if (this.draft === null) return;
    const fine = this.draft.hear(about);
    this.say(fine ? "" : t("about.clash"));
    this.draw();
  }

  private async begin(): Promise<void> {
    try {
      const told = await read(this.subject.document);
      this.say("");
      if (!told.kept) return this.say(t("about.lacking"));
      this.draft = new Draft({ tags: told.tags, description: told.description });
      if (this.subject.readOnly) return this.show(told);
      this.form();
    } catch (problem) {
      this.say(`${t("about.failed")} ${why(problem)}`);
    }
  }

  /** For who may only look. */
  private show({ tags, description }: About): void {
    if (tags.length === 0 && description === "") return this.say(t("about.nothing"));
    this.chips.replaceChildren(...tags.map((tag) => element("li", {}, element("bdi", {}, tag))));
    const paragraph = element("p", { class: "description" }, description);
    this.body.replaceChildren(...(tags.length === 0 ? [] : [this.chips]), ...(description === "" ? [] : [paragraph]));
  }

  private form(): void {
    const tags = element("label", { for: "about-tag" }, t("about.tags"));
    const hint = element("p", { class: "hint", id: "about-tag-hint" }, t("about.hint", { n: MOST.tags }));
    const add = button(t("about.add"), () => this.take());
    const description = element("label", { for: "about-description" }, t("about.description"));
    const no = button(t("common.cancel"), () => this.close());
    const form = element("form", {}, tags, this.chips, element("div", { class: "adding" }, this.field, add), hint, description, this.text, buttons(this.save, no));
    form.addEventListener("submit", (event) => event.preventDefault());
    this.body.replaceChildren(form);
    this.draw();
    this.field.focus();
  }

  private draw(): void {
    const { draft } = this;
    if (draft === null) return;
    if (this.subject.readOnly) return this.show(draft);
    this.chips.replaceChildren(...draft.tags.map((tag) => this.chip(tag)));
    this.chips.hidden = draft.tags.length === 0;
    if (this.text.value !== draft.description) this.text.value = draft.description;
  }

  private chip(tag: string): HTMLElement {
    const away = element("button", { type: "button", "aria-label": t("about.remove", { tag }) }, icon("close"));
    away.addEventListener("click", () => this.remove(tag));
    return element("li", {}, element("bdi", {}, tag), away);
  }

  private remove(tag: string): void {
    const at = this.draft?.tags.indexOf(tag) ?? -1;
    this.draft?.remove(tag);
    this.draw();
    this.say(t("about.removed", { tag }));
    // The next one, so that several go by the same key.
    const left = [...this.chips.querySelectorAll("button")];
    (left[Math.min(at, left.length - 1)] ?? this.field).focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.take();
    } else if (event.key === "Backspace" && this.field.value === "") {
      const last = this.draft?.tags.at(-1);
      if (last === undefined) return;
      this.draft?.remove(last);
      this.say(t("about.removed", { tag: last }));
      this.draw();
    }
  }

  /** What stands in the field becomes tags. */
  private take(): boolean {
    const tags = typed(this.field.value);
    if (this.draft === null) return false;
    if (!this.draft.add(tags)) {
      this.say(t("about.many", { n: MOST.tags }));
      return false;
    }
    this.field.value = "";
    if (tags.length > 0) this.say(t("about.added", { tag: tags.join(", ") }));
    this.draw();
    return true;
  }

  private wrote(): void {
    if (this.draft !== null) this.draft.description = this.text.value;
  }

  private async put(): Promise<void> {
    const { draft, subject } = this;
    if (draft === null || !this.take()) return;
    if (!draft.changed) return this.close();
    this.save.disabled = true;
    this.say(t("about.saving"));
    try {
      const said = await write(subject.document, (now) => draft.made(now));
      subject.changed?.({ tags: said.tags, description: said.description });
      this.close();
    } catch (problem) {
      this.say(problem instanceof Problem && problem.reason === "unsupported" ? t("about.lacking") : `${t("about.notSaved")} ${why(problem)}`);
      this.save.disabled = false;
    }
  }

  private say(text: string): void {
    this.state.textContent = text;
  }
}

const why = (problem: unknown): string => (problem instanceof Error ? problem.message : String(problem));
