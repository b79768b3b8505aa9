/** "Save as": under which name a suite saves a copy. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { complete, extension, fault, stem } from "../files/naming.ts";
import { ask } from "./window.ts";

/** Ask for a name beside this one, with the extension (without its dot; "" for the same); null when nobody wants it any more. */
export function askForCopy(name: string, wanted: string, answer: (name: string | null) => void): void {
  const end = wanted === "" ? extension(name) : `.${wanted}`;
  const field = element("input", { id: "copy-name", type: "text", value: t("office.copy.name", { name: stem(name) }) + end, autocomplete: "off", spellcheck: "false" });
  const said = element("p", { class: "fault", role: "alert" });
  const label = element("label", { for: "copy-name" }, t("files.new.name"));
  const save = element("button", { type: "submit", class: "primary" }, t("office.copy.save"));
  let chosen: string | null = null;
  ask(t("office.copy"), [label, field, said], save, () => answer(chosen), () => {
    const typed = complete(field.value, end);
    const wrong = fault(typed);
    if (wrong === null) chosen = typed;
    else said.textContent = t(`files.fault.${wrong}`);
    return wrong === null;
  });
  field.focus();
  field.setSelectionRange(0, stem(field.value).length);
}
