/** Star a document; opening one is remembered among the recent ones. */

import { find, setStar, visit, type Item } from "../base/api.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { note } from "../base/notes.ts";

/** Let the button star the document of this name, and say that it was opened; what is known of it. */
export async function star(button: HTMLElement, name: string): Promise<Item> {
  const item = await find(name);
  void visit(item.id).catch(() => undefined);
  let starred = item.starred;
  const show = (): void => button.setAttribute("aria-pressed", String(starred));
  button.replaceChildren(icon("star"));
  button.hidden = false;
  button.addEventListener("click", () => {
    starred = !starred;
    show();
    setStar(item.id, starred).catch(() => {
      starred = !starred;
      show();
      note("star", { text: t("editor.starFailed") });
    });
  });
  show();
  return item;
}
