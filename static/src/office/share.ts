/** What "share" does today: it gives the link of the document. Who may open it is said by the server, not by the link. */

import { element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { ask } from "./window.ts";

/** Show the link, ready to be copied; `closed` is called when one has done with it. */
export function share(link: string, closed: () => void): void {
  const field = element("input", { id: "link", type: "url", readonly: true, value: link });
  const said = element("output", { for: "link" });
  const copy = element("button", { type: "submit", class: "primary" }, t("common.copy"));
  const label = element("label", { for: "link" }, t("office.share.text"));
  ask(t("office.share"), [label, field, said], copy, closed, () => {
    field.select();
    navigator.clipboard.writeText(link).then(
      () => (said.textContent = t("office.share.copied")),
      () => (said.textContent = t("office.share.byHand")),
    );
    return false;
  });
  part("link").focus();
  field.select();
}
