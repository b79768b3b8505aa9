/** Windows over the page: closed by Escape, by the veil and by their cross; the focus comes back to where it was. */

import "../styles/files-dialogs.css";

import { element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";

let number = 0;

/** A window with this title; it is shown at once and taken away when it is closed. */
export function dialog(title: string, kind: string, ...children: Node[]): HTMLDialogElement {
  number += 1;
  const id = `dialog-${number}`;
  const close = element("button", { type: "button", class: "pic", "aria-label": t("common.close") }, icon("close"));
  const head = element("header", {}, element("h2", { id }, title), close);
  const made = element("dialog", { class: `window ${kind}`, "aria-labelledby": id }, head, ...children);
  close.addEventListener("click", () => made.close());
  made.addEventListener("click", (event) => event.target === made && made.close());
  made.addEventListener("close", () => made.remove());
  document.body.append(made);
  made.showModal();
  return made;
}

/** The row of buttons at a window's end; the first one is what most people want. */
export function buttons(...made: HTMLElement[]): HTMLElement {
  return element("div", { class: "acts" }, ...made);
}
