/** The window "New": a document from a template, or a folder. */

import { editAddress } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import type { Board } from "./board.ts";
import { buttons, dialog } from "./dialog.ts";
import { entryOf, openAddress } from "./entries.ts";
import { exists, failure } from "./failures.ts";
import { namesIn } from "./folders.ts";
import { complete, fault, free, inside, retyped, stem } from "./naming.ts";
import { makeFolder } from "./rest.ts";
import { builtIn, office, own, type Template } from "./templates.ts";
import { toast } from "./toasts.ts";

interface Choice {
  readonly template: Template | null;
  readonly title: string;
  readonly icon: Icon;
}

/** Names are no prose: nothing completes or corrects them. */
const PLAIN = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
const ICONS: readonly Icon[] = ["file", "text", "quote", "present", "check", "table", "notebook"];

/** Ask what to make, and make it; documents open at once. */
export async function create(board: Board): Promise<void> {
  const folder = board.place.view === "files" ? board.place.folder : "";
  const [ours, taken] = await Promise.all([builtIn(today()), namesIn(folder).catch(() => new Set<string>())]);
  new Creation(board, folder, ours, (name) => taken.has(name));
}

/** The person's own day (RFC 3339). */
function today(now = new Date()): string {
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((each) => String(each).padStart(2, "0")).join("-");
}

/** What kind of office document it is. */
function officeIcon(end: string): Icon {
  if (/^\.(xlsx|xls|ods|ots|xltx)$/i.test(end)) return "table";
  return /^\.(pptx|ppt|odp|otp|potx)$/i.test(end) ? "present" : "file";
}

class Creation {
  private readonly choices = element("div", { class: "choices", role: "radiogroup", "aria-label": t("files.new.from") });
  private readonly field = element("input", { id: "new-name", name: "name", type: "text", ...PLAIN });
  private readonly said = element("div", { class: "fault", role: "alert" });
  private readonly window: HTMLDialogElement;
  private chosen: Choice;
  private touched = false;
  private busy = false;

  constructor(
    private readonly board: Board,
    private readonly folder: string,
    ours: readonly Template[],
    private readonly taken: (name: string) => boolean,
  ) {
    const built = ours.map((template, index): Choice => ({ template, title: template.title, icon: ICONS[index] ?? "file" }));
    const folderChoice: Choice = { template: null, title: t("files.new.folder"), icon: "folder" };
    this.chosen = built[0] ?? folderChoice;
    this.choices.append(...[...built, folderChoice].map((choice) => this.option(choice)));
    const submit = button(t("files.new.create"), () => {}, "primary");
    submit.type = "submit";
    const where = element("p", { class: "hint" }, t("files.new.where", { folder: folder || t("files.root") }));
    const label = element("label", { for: "new-name" }, t("files.new.name"));
    const form = element("form", {}, this.choices, label, this.field, where, this.said, buttons(submit));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.make();
    });
    this.field.addEventListener("input", () => (this.touched = true));
    this.window = dialog(t("files.new"), "wide", form);
    this.suggest(null);
    this.field.focus();
    void Promise.all([office(), own()]).then((more) => this.add(more.flat()));
  }

  private add(more: readonly Template[]): void {
    const options = more.map((template) => this.option({ template, title: template.title, icon: template.office ? officeIcon(template.extension) : "text" }));
    this.choices.lastElementChild?.before(...options);
  }

  private option(choice: Choice): HTMLElement {
    const input = element("input", { type: "radio", name: "template", checked: choice === this.chosen });
    input.addEventListener("change", () => this.choose(choice));
    return element("label", {}, input, icon(choice.icon), element("bdi", {}, choice.title));
  }

  private choose(choice: Choice): void {
    const former = this.chosen;
    this.chosen = choice;
    this.suggest(former);
    this.complain("");
  }

  /** A name that is still free, ready to be typed over; what the person typed stays, but for the extension. */
  private suggest(former: Choice | null): void {
    const { template } = this.chosen;
    if (this.touched && former !== null) {
      this.field.value = retyped(this.field.value, former.template?.extension ?? "", template?.extension ?? "");
      return;
    }
    this.field.value = free(template?.name ?? t("files.new.folder"), this.taken);
    this.field.setSelectionRange(0, stem(this.field.value).length);
  }

  private async make(): Promise<void> {
    const { template } = this.chosen;
    const name = complete(this.field.value, template?.extension ?? "");
    const wrong = fault(name);
    if (wrong !== null) return this.complain(t(`files.fault.${wrong}`));
    if (this.busy) return;
    this.busy = true;
    this.complain("");
    try {
      await this.keep(inside(this.folder, name), template);
    } catch (problem) {
      if (exists(problem)) this.offer(name);
      else this.complain(failure(problem));
    } finally {
      this.busy = false;
    }
  }

  private async keep(path: string, template: Template | null): Promise<void> {
    if (template !== null) return location.assign(openAddress(entryOf(await template.make(path))));
    const made = await makeFolder(path);
    this.window.close();
    if (this.board.place.view !== "files") return this.board.go({ view: "files", folder: this.folder });
    this.board.put(made);
    this.board.grid.focus(entryOf(made).key);
    toast(t("files.new.made", { name: entryOf(made).name }));
  }

  /** The name is taken: open what is there, or take the next free one. */
  private offer(name: string): void {
    const other = free(name, (each) => each === name || this.taken(each));
    const use = button(t("files.new.instead", { name: other }), () => {
      this.field.value = other;
      this.complain("");
      this.field.focus();
    });
    const open = element("a", { href: editAddress(inside(this.folder, name)), class: "button" }, t("files.new.open"));
    this.complain(t("files.new.exists", { name }));
    this.said.append(buttons(use, ...(this.chosen.template === null ? [] : [open])));
  }

  private complain(words: string): void {
    this.said.replaceChildren(...(words === "" ? [] : [element("p", {}, words)]));
    if (words === "") return this.field.removeAttribute("aria-invalid");
    this.field.setAttribute("aria-invalid", "true");
    this.field.focus();
  }
}
