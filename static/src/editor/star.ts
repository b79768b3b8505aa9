/** Star a document; opening one is remembered among the recent ones. */

import { find, setStar, visit, type Item } from "../base/api.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { note } from "../base/notes.ts";

/** Let the button star the document of this name, and say that it was opened; what is known of it. */
export async function star(button: HTMLElement, name: string): Promise<Item> {
  const item = await find(name);
  void visit(item.id).catch(() => undefined);
  let starred = item.starred ?? false;
  /** As the server has it. */
  let kept = starred;
  /** One after the other: the last press counts. */
  let last = Promise.resolve();
  const show = (): void => button.setAttribute("aria-pressed", String(starred));
  button.replaceChildren(icon("star"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const wanted = (starred = !starred);
    show();
    const mine = last
      .then(() => setStar(item.id, wanted))
      .then(() => void (kept = wanted), () => note("star", { text: t("editor.starFailed") }))
      .then(() => {
        if (last === mine) starred = kept;
        show();
      });
    last = mine;
  });
  show();
  return item;
}
