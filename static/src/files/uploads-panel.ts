/** The panel that shows what becomes of each file on its way. */

import "../styles/files-dialogs.css";

import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import type { Upload, Uploads } from "./uploads.ts";

interface Line {
  readonly element: HTMLElement;
  readonly bar: HTMLProgressElement;
  drawn: string;
}

export class Panel {
  private readonly title = element("h2", { id: "uploads-title" });
  private readonly rows = element("ul", {});
  private readonly all = element("div", { class: "acts" });
  private readonly panel: HTMLElement;
  private readonly lines = new Map<Upload, Line>();

  constructor(private readonly uploads: Uploads) {
    const close = element("button", { type: "button", class: "pic", "aria-label": t("files.upload.close") }, icon("close"));
    close.addEventListener("click", () => this.close());
    const head = element("header", {}, this.title, close);
    this.panel = element("section", { class: "uploads", "aria-labelledby": "uploads-title" }, head, this.all, this.rows);
  }

  show(): void {
    if (!this.panel.isConnected) part("panels").append(this.panel);
    this.draw();
  }

  /** Draw everything again, or what has changed of one upload. */
  draw(only?: Upload): void {
    if (only !== undefined) return this.line(only);
    for (const upload of this.uploads.all) this.line(upload);
    this.head();
  }

  private close(): void {
    this.uploads.end();
    this.panel.remove();
    part("main").focus();
  }

  private head(): void {
    const { all, open } = this.uploads;
    const done = all.filter(({ state }) => state === "done").length;
    const clashes = all.filter(({ state }) => state === "exists");
    const left = clashes.length + all.filter(({ state }) => state === "failed").length;
    const words = left > 0 ? t("files.upload.left", { n: left }) : t("files.upload.done", { n: done });
    this.title.textContent = open > 0 ? t("files.upload.running", { done, n: all.length }) : words;
    const both = button(t("files.upload.bothAll"), () => void this.each(clashes, (upload) => this.uploads.keepBoth(upload)));
    const skip = button(t("files.upload.skipAll"), () => void this.each(clashes, async (upload) => this.uploads.cancel(upload)));
    const stop = button(t("files.upload.cancelAll"), () => void this.each(all.filter(unfinished), async (upload) => this.uploads.cancel(upload)));
    const wanted = [...(clashes.length > 1 ? [both, skip] : []), ...(open > 1 ? [stop] : [])];
    const names = (parts: Iterable<Element>): string => [...parts].map(({ textContent }) => textContent).join();
    // A button that is drawn again loses the focus.
    if (names(wanted) !== names(this.all.children)) this.all.replaceChildren(...wanted);
  }

  private async each(uploads: readonly Upload[], act: (upload: Upload) => Promise<void>): Promise<void> {
    for (const upload of [...uploads]) await act(upload);
  }

  private line(upload: Upload): void {
    const line = this.lines.get(upload) ?? this.add(upload);
    line.bar.value = upload.state === "done" ? 1 : upload.file.size === 0 ? 0 : upload.sent / upload.file.size;
    const drawn = [upload.state, upload.path, upload.why].join("\n");
    if (drawn === line.drawn) return;
    line.drawn = drawn;
    const focused = line.element.contains(document.activeElement);
    const words = element("span", { class: "fact" }, this.words(upload));
    const name = element("bdi", {}, fileName(upload.path));
    line.element.className = upload.state;
    line.element.replaceChildren(element("div", {}, name, words), line.bar, element("div", { class: "acts" }, ...this.acts(upload)));
    line.bar.hidden = upload.state !== "sending" && upload.state !== "waiting";
    line.bar.setAttribute("aria-label", fileName(upload.path));
    if (focused) (line.element.querySelector("button") ?? this.panel.querySelector("button"))?.focus();
  }

  private add(upload: Upload): Line {
    const made = { element: element("li"), bar: element("progress", { max: "1", value: "0" }), drawn: "" };
    this.lines.set(upload, made);
    this.rows.append(made.element);
    return made;
  }

  private words({ state, why }: Upload): string {
    return state === "failed" ? why : t(`files.upload.state.${state}`);
  }

  private acts(upload: Upload): HTMLElement[] {
    const name = fileName(upload.path);
    const act = (label: string, act: () => void): HTMLElement => {
      const made = button(label, act);
      made.setAttribute("aria-label", `${label}: ${name}`);
      return made;
    };
    if (unfinished(upload)) return [act(t("common.cancel"), () => this.uploads.cancel(upload))];
    if (upload.state === "failed") return [act(t("common.retry"), () => this.uploads.again(upload))];
    if (upload.state !== "exists") return [];
    return [act(t("files.keepBoth"), () => void this.uploads.keepBoth(upload)), act(t("files.upload.skip"), () => this.uploads.cancel(upload))];
  }
}

const unfinished = ({ state }: Upload): boolean => state === "waiting" || state === "sending";
