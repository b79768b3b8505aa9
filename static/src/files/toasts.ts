/** Short words about what was just done, with a way to take it back. */

import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import type { Act } from "../base/notes.ts";

/** Milliseconds that one has to read it and to undo; while mouse or keyboard are in it the time stands still. */
const SHOWN = 12_000;

/** Say something to screen readers, without a sign of it on the screen. */
export function say(words: string): void {
  const said = part("said");
  // The same words again are news too.
  said.textContent = said.textContent === words ? `${words} ` : words;
}

/** Show one line, in place of the last; what is grave stays until it is closed. */
export function toast(text: string, acts: readonly Act[] = [], kind: "calm" | "grave" = "calm"): void {
  const close = element("button", { type: "button", class: "pic", "aria-label": t("common.close") }, icon("close"));
  const made = element("div", { class: `toast ${kind}` }, element("p", {}, text), ...acts.map((act) => control(act, end)), close);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    if (kind === "calm") timer = setTimeout(end, SHOWN);
  };
  function end(): void {
    clearTimeout(timer);
    made.remove();
  }
  close.addEventListener("click", end);
  for (const event of ["pointerenter", "focusin"]) made.addEventListener(event, () => clearTimeout(timer));
  for (const event of ["pointerleave", "focusout"]) made.addEventListener(event, wait);
  part("toasts").replaceChildren(made);
  say([text, ...acts.map(({ label }) => label)].join(" "));
  wait();
}

/** Take away whatever is shown. */
export const untoast = (): void => part("toasts").replaceChildren();

function control({ label, act }: Act, end: () => void): HTMLElement {
  if (typeof act === "string") return element("a", { href: act, class: "button" }, label);
  return button(label, () => {
    end();
    act();
  });
}
