/** The window "Move to": walk through the folders and choose one. */

import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { spoken, t } from "../base/messages.ts";
import { fileName, trail } from "../base/names.ts";
import { what } from "./acts.ts";
import { buttons, dialog } from "./dialog.ts";
import { folderOfEntry, type Entry } from "./entries.ts";
import { failure } from "./failures.ts";
import { foldersIn } from "./folders.ts";
import { within } from "./naming.ts";

/** The folder where these entries shall go; null when the window was closed. */
export function chosenFolder(entries: readonly Entry[], start: string): Promise<string | null> {
  return new Promise((resolve) => new Chooser(entries, start, resolve));
}

class Chooser {
  private readonly path = element("ol", { class: "trail" });
  private readonly list = element("ul", { class: "folders" });
  private readonly act: HTMLButtonElement;
  private readonly window: HTMLDialogElement;
  private folder = "";
  private answer: string | null = null;

  constructor(
    private readonly entries: readonly Entry[],
    start: string,
    resolve: (folder: string | null) => void,
  ) {
    this.act = button("", () => this.end(this.folder), "primary");
    const no = button(t("common.cancel"), () => this.window.close());
    const nav = element("nav", { "aria-label": t("files.trail") }, this.path);
    this.window = dialog(t("files.move.title", { what: what(entries) }), "small chooser", nav, this.list, buttons(this.act, no));
    this.window.addEventListener("close", () => resolve(this.answer));
    this.list.addEventListener("keydown", (event) => this.walk(event));
    void this.enter(start);
  }

  private end(folder: string): void {
    this.answer = folder;
    this.window.close();
  }

  private async enter(folder: string): Promise<void> {
    this.folder = folder;
    this.list.setAttribute("aria-busy", "true");
    const here = this.entries.every((entry) => folderOfEntry(entry) === folder);
    this.act.textContent = t("files.move.here", { folder: fileName(folder) || t("files.root") });
    this.act.disabled = here;
    const parts = [{ name: t("files.root"), path: "" }, ...trail(folder)];
    this.path.replaceChildren(...parts.map(({ name, path }) => this.crumb(name, path)));
    try {
      const folders = await foldersIn(folder, spoken());
      if (this.folder !== folder) return;
      this.fill(folders.filter((path) => !this.entries.some((entry) => entry.isFolder && within(path, entry.path))));
    } catch (problem) {
      this.list.replaceChildren(element("li", { class: "hint", role: "alert" }, failure(problem)));
    }
    this.list.setAttribute("aria-busy", "false");
    (this.list.querySelector("button") ?? (here ? this.path.querySelector("button") : this.act))?.focus();
  }

  private crumb(name: string, path: string): HTMLElement {
    if (path === this.folder) return element("li", {}, element("span", { "aria-current": "location" }, element("bdi", {}, name)));
    return element("li", {}, button(name, () => void this.enter(path), "quiet"));
  }

  private fill(folders: readonly string[]): void {
    const rows = folders.map((path) => {
      const open = button("", () => void this.enter(path), "quiet");
      open.append(icon("folder"), element("bdi", {}, fileName(path)));
      return element("li", {}, open);
    });
    this.list.replaceChildren(...(rows.length === 0 ? [element("li", { class: "hint" }, t("files.move.none"))] : rows));
  }

  private walk(event: KeyboardEvent): void {
    const rows = [...this.list.querySelectorAll("button")];
    const at = rows.findIndex((each) => each === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(to, rows.length - 1))]?.focus();
  }
}
