/** The window with what is attached to a document: pictures and files, and those that the text names nowhere. */

import "../styles/attachments.css";

import { contentAddress, lease, Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { attachments, discard, restore, type Attached } from "./attached.ts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

function weight(size: number): string {
  const step = size < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(size) / 3));
  const format = { style: "unit", unit: UNITS[step], unitDisplay: step === 0 ? "long" : "short", maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(document.documentElement.lang, format).format(size / 1000 ** step);
}

class Window {
  private readonly said = element("p", { role: "status" });
  private readonly rows = element("ul", {});
  private readonly dialog: HTMLDialogElement;

  constructor(
    private readonly path: string,
    private readonly readOnly: boolean,
  ) {
    const title = element("h2", { id: "attachments-title" }, t("attachments.title"));
    const close = element("button", { type: "button", class: "pic", "aria-label": t("common.close") }, icon("close"));
    const head = element("header", {}, title, close);
    this.dialog = element("dialog", { class: "attachments", "aria-labelledby": "attachments-title" }, head, this.said, this.rows);
    close.addEventListener("click", () => this.dialog.close());
    // The veil around the window is the dialog itself.
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.dialog.remove());
  }

  show(): void {
    document.body.append(this.dialog);
    this.dialog.showModal();
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      const all = await attachments(this.path);
      const unused = all.filter(({ used }) => used === false).length;
      this.said.textContent = all.length === 0 ? t("attachments.none") : t("attachments.count", { n: all.length }) + (unused > 0 ? ` ${t("attachments.unused.count", { n: unused })}` : "");
      this.rows.replaceChildren(...all.map((each) => this.row(each)));
    } catch (problem) {
      this.fail(problem);
    }
  }

  private row(each: Attached): HTMLElement {
    const name = lease === null ? element("a", { href: contentAddress(each.path), target: "_blank" }, each.name) : element("span", {}, each.name);
    const made = element("li", { "data-name": each.name }, element("span", { class: "name" }, name), element("span", { class: "size" }, weight(each.size)));
    if (each.used === false) made.append(element("span", { class: "tag" }, t("attachments.unused")));
    if (!this.readOnly) {
      const remove = button(t("attachments.delete"), () => void this.remove(each, made));
      remove.setAttribute("aria-label", t("attachments.delete.named", { name: each.name }));
      made.append(remove);
    }
    return made;
  }

  private async remove(each: Attached, row: HTMLElement): Promise<void> {
    try {
      const key = await discard(this.path, each.name);
      const undo = button(t("common.undo"), () => void this.restore(each, key));
      this.said.textContent = t("attachments.deleted", { name: each.name });
      row.replaceChildren(element("span", { class: "name" }, t("attachments.deleted", { name: each.name })), undo);
      undo.focus();
    } catch (problem) {
      this.fail(problem);
    }
  }

  private async restore({ name }: Attached, key: string): Promise<void> {
    try {
      await restore(this.path, name, key);
      await this.load();
      this.rows.querySelector<HTMLElement>(`[data-name="${CSS.escape(name)}"] button`)?.focus();
    } catch (problem) {
      this.fail(problem);
    }
  }

  private fail(problem: unknown): void {
    this.said.textContent = problem instanceof Problem && problem.status !== 0 ? problem.message : t("attachments.failed");
  }
}

/** Show what is attached to the document at this path. */
export const showAttachments = (path: string, readOnly: boolean): void => new Window(path, readOnly).show();
