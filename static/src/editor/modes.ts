/** Source, side by side, or preview: what of a document is on the screen. */

import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { note } from "../base/notes.ts";
import { preferences } from "../settings/preferences.ts";
import type { Desk } from "./desk.ts";
import { isMarkdown, isTable } from "./languages.ts";

export type Mode = "source" | "split" | "preview";

/** What stands for the source in the modes "preview" and "split": a rendering, or a table to edit. */
interface View {
  show(together: boolean): void;
  hide(): void;
  complete?(): Promise<void>;
  /** The element in which a place of the text is shown (an offset, UTF-16). */
  elementAt?(offset: number): HTMLElement | null;
  /** Bring a place of the text into view. */
  reveal?(offset: number): void;
}

const MODES: readonly Mode[] = ["source", "split", "preview"];
/** Beyond this many CSS pixels there is room for two. */
const WIDE = matchMedia("(min-width: 60rem)");

/** The mode in which a document opens. */
export function opening(preferred: "auto" | Mode, { readOnly, wide, table }: { readOnly: boolean; wide: boolean; table: boolean }): Mode {
  if (preferred !== "auto") return preferred === "split" && (!wide || table) ? "source" : preferred;
  if (readOnly || table) return "preview";
  return wide ? "split" : "source";
}

export class Modes {
  mode: Mode = "source";
  private view: View | null = null;
  private loading: Promise<View> | null = null;

  constructor(
    private readonly desk: Desk,
    /** Nothing here but the source. */
    readonly plain: boolean,
  ) {
    if (plain) return;
    part("modes").hidden = false;
    part("modes").replaceChildren(...this.choices().map((mode) => this.choice(mode)));
    WIDE.addEventListener("change", () => {
      // Paper is narrow, and nobody reads on it.
      if (!matchMedia("print").matches) void this.set(this.mode === "split" && !WIDE.matches ? "source" : this.mode);
    });
  }

  static for(desk: Desk): Modes {
    const modes = new Modes(desk, !isMarkdown(desk.path) && !isTable(desk.path));
    const { readOnly } = desk;
    if (!modes.plain) void modes.set(opening(preferences.get().mode, { readOnly, wide: WIDE.matches, table: modes.table }));
    return modes;
  }

  /** Rows and cells stand for the source. */
  get table(): boolean {
    return isTable(this.desk.path);
  }

  /** Show this from now on. */
  async set(mode: Mode): Promise<void> {
    this.mode = mode;
    document.body.dataset["mode"] = mode;
    for (const each of part("modes").querySelectorAll<HTMLElement>("[data-mode]")) each.setAttribute("aria-pressed", String(each.dataset["mode"] === mode));
    part("editor").hidden = mode === "preview";
    part("preview").hidden = mode === "source";
    if (mode === "source") return this.view?.hide();
    const view = await this.rendering().catch(() => null);
    if (view === null) return this.failed();
    // Somebody may have chosen otherwise meanwhile.
    if (this.mode !== "source") view.show(this.mode === "split");
  }

  /** The next mode, for a key. */
  next(): void {
    const choices = this.choices().filter((mode) => mode !== "split" || WIDE.matches);
    void this.set(choices[(choices.indexOf(this.mode) + 1) % choices.length] ?? "source");
  }

  /** Resolved when everything is drawn as it will be printed. */
  async complete(): Promise<void> {
    if (this.plain || this.table) return;
    await (await this.rendering()).complete?.();
  }

  /** Where the rendering shows a place of the text; null while there is none, or it cannot tell. */
  elementAt(offset: number): HTMLElement | null {
    return this.mode === "source" ? null : (this.view?.elementAt?.(offset) ?? null);
  }

  /** Bring a place of the text into view in the rendering. */
  reveal(offset: number): void {
    this.view?.reveal?.(offset);
  }

  private choices(): readonly Mode[] {
    return this.table ? ["source", "preview"] : MODES;
  }

  private choice(mode: Mode): HTMLButtonElement {
    const label = t(this.table && mode === "preview" ? "editor.mode.table" : `editor.mode.${mode}`);
    const made = button("", () => void this.set(mode), "pic");
    made.append(icon(mode));
    for (const [name, value] of Object.entries({ "data-mode": mode, "aria-label": label, title: label })) made.setAttribute(name, value);
    return made;
  }

  private rendering(): Promise<View> {
    this.loading ??= this.load().then((view) => (this.view = view));
    return this.loading;
  }

  private async load(): Promise<View> {
    const parent = part("preview");
    if (this.table) return new (await import("../csv/table.ts")).CsvTable(parent, this.desk);
    return new (await import("../preview/preview.ts")).Preview(parent, this.desk);
  }

  private failed(): void {
    this.loading = null;
    void this.set("source");
    note("preview", { text: t("editor.previewFailed"), acts: [{ label: t("common.retry"), act: () => void this.set("preview") }] });
  }
}

/** A pressed key's name as people read it, for menus. */
export const key = (words: string): HTMLElement => element("kbd", {}, words);
