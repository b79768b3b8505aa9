/** Asks before something that cannot be taken back. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { buttons, dialog } from "./dialog.ts";

/** Whether the person really wants it; closing the window says no. */
export function confirmed(title: string, text: string, act: string): Promise<boolean> {
  return new Promise((resolve) => {
    let wanted = false;
    const yes = button(
      act,
      () => {
        wanted = true;
        made.close();
      },
      "danger",
    );
    const no = button(t("common.cancel"), () => made.close());
    const made = dialog(title, "small", element("p", {}, text), buttons(no, yes));
    made.addEventListener("close", () => resolve(wanted));
    // Whoever presses Enter without reading keeps everything.
    no.focus();
  });
}
