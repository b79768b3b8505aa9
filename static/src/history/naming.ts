/** The name of a version, changed where it stands: Enter keeps it, Escape leaves it as it was. */

import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";

/** Characters, as the server takes them. */
const LONGEST = 200;

export class Naming {
  readonly whole = element("span", { class: "name" });
  private readonly text = element("bdi");
  private readonly begin = button("", () => this.edit(), "pic");
  private name = "";
  private editing = false;

  /** `keep` gives what is the name then; it may fail. */
  constructor(
    private readonly keep: (name: string) => Promise<void>,
    private readonly fixed: () => boolean,
  ) {
    this.begin.append(icon("pencil"));
  }

  show(name: string): void {
    this.name = name;
    if (!this.editing) this.draw();
  }

  edit(): void {
    if (this.editing || this.fixed()) return;
    this.editing = true;
    const label = t("history.name");
    const input = element("input", { name: "version", maxlength: String(LONGEST), "aria-label": label, placeholder: label, autocomplete: "off", dir: "auto" });
    input.value = this.name;
    input.addEventListener("keydown", (event) => {
      if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
      // Escape would close the whole window.
      event.preventDefault();
      event.stopPropagation();
      this.end(event.key === "Enter" ? input.value : null, true);
    });
    input.addEventListener("blur", () => this.end(input.value, false));
    this.whole.replaceChildren(input);
    input.focus();
    input.select();
  }

  /** Nothing is kept of what is being typed. */
  leave(): void {
    this.end(null, false);
  }

  private end(typed: string | null, back: boolean): void {
    if (!this.editing) return;
    this.editing = false;
    const before = this.name;
    const name = typed?.trim().replace(/\s+/g, " ") ?? before;
    this.name = name;
    this.draw();
    if (back) this.begin.focus();
    if (name !== before) void this.keep(name);
  }

  private draw(): void {
    this.text.textContent = this.name;
    const label = t(this.name === "" ? "history.name" : "history.rename");
    this.begin.title = `${label} (F2)`;
    this.begin.setAttribute("aria-label", label);
    this.begin.setAttribute("aria-keyshortcuts", "F2");
    this.begin.hidden = this.fixed();
    // What is put in again loses the focus.
    if (this.begin.parentNode === null) this.whole.replaceChildren(this.text, this.begin);
  }
}
