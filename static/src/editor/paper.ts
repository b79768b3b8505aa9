/** The document on paper: what is rendered of it, or its source when nothing is. */

import { element, part } from "../base/dom.ts";
import { fileName } from "../base/names.ts";
import { printLight } from "../base/printing.ts";
import type { Desk } from "./desk.ts";
import type { Modes } from "./modes.ts";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export class Paper {
  /** Everything is rendered for the print that comes now. */
  private ready = false;

  constructor(
    private readonly desk: Desk,
    private readonly modes: Modes,
  ) {
    // The browser's own way to print waits for nothing.
    addEventListener("keydown", (event) => {
      const wanted = event.key.toLowerCase() === "p" && (MAC ? event.metaKey : event.ctrlKey) && !event.shiftKey && !event.altKey;
      if (!wanted || event.defaultPrevented) return;
      event.preventDefault();
      void this.print();
    });
    printLight();
    addEventListener("beforeprint", () => this.lay());
    addEventListener("afterprint", () => this.clear());
  }

  /** Print when all is drawn; without a rendering the source is printed. */
  async print(): Promise<void> {
    this.ready = await this.modes.complete().then(
      () => true,
      () => false,
    );
    print();
  }

  private get rendered(): boolean {
    if (this.modes.plain || this.modes.table) return false;
    return this.ready || this.modes.mode !== "source";
  }

  private lay(): void {
    const { rendered } = this;
    document.body.dataset["paper"] = rendered ? "rendered" : "source";
    document.documentElement.style.setProperty("--paper-name", `"${cssWords(fileName(this.desk.path))}"`);
    if (rendered) for (const link of part("preview").querySelectorAll<HTMLAnchorElement>("a.md-outside")) tellAddress(link);
    else document.body.append(element("pre", { class: "paper" }, this.desk.view.state.doc.toString()));
  }

  private clear(): void {
    this.ready = false;
    delete document.body.dataset["paper"];
    for (const pre of document.querySelectorAll("body > .paper")) pre.remove();
  }
}

/** On paper nobody can press a link; one that is its own text needs no more words. */
function tellAddress(link: HTMLAnchorElement): void {
  const href = link.getAttribute("href") ?? "";
  const words = link.firstChild?.textContent?.trim() ?? "";
  const bare = (address: string): string => address.replace(/^https?:\/\/|\/$/g, "");
  if (bare(words) === bare(href)) delete link.dataset["address"];
  else link.dataset["address"] = href;
}

/** As a string of CSS (Syntax, section 4.3.5). */
const cssWords = (words: string): string => words.replace(/["\\\n\r\f]/g, (found) => `\\${found.codePointAt(0)?.toString(16)} `);
