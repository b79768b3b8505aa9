/** What a Markdown document looks like, beside its source or instead of it. */

import type { Desk } from "../editor/desk.ts";

export class Preview {
  constructor(
    readonly parent: HTMLElement,
    readonly desk: Desk,
  ) {}

  /** Follow the text from now on; scroll together with the source when both are shown. */
  show(together: boolean): void {
    this.parent.dataset["together"] = String(together);
  }

  /** Rest: nobody looks. */
  hide(): void {
    delete this.parent.dataset["together"];
  }

  /** Resolved when everything, far below the screen too, is drawn as it is now: for print. */
  async complete(): Promise<void> {
    await Promise.resolve();
  }
}
