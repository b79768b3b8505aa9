/** A small window over the suite. */

import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";

/** Show a form; `submitted` says whether the window is to be closed, `closed` is called however it was. */
export function ask(title: string, fields: readonly HTMLElement[], submit: HTMLButtonElement, closed: () => void, submitted: () => boolean): void {
  const close = button(t("common.close"), () => made.close());
  const form = element("form", { method: "dialog" }, ...fields, element("div", { class: "acts" }, submit, close));
  const made = element("dialog", { class: "small", "aria-labelledby": "small-title" }, element("h2", { id: "small-title" }, title), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (submitted()) made.close();
  });
  made.addEventListener("close", () => {
    made.remove();
    closed();
  });
  document.body.append(made);
  made.showModal();
}
