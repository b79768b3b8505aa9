/** The buttons below the slides. They step aside when nobody moves. */

import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t, type Key } from "../base/messages.ts";
import { LISTED, type Command } from "./keys.ts";

/** Milliseconds without a movement after which pointer and buttons are hidden. */
const REST = 2500;

const BUTTONS: readonly { command: Command; icon: Icon }[] = [
  { command: "leave", icon: "close" },
  { command: "overview", icon: "overview" },
  { command: "speaker", icon: "speaker" },
  { command: "full", icon: "full" },
  { command: "print", icon: "print" },
  { command: "keys", icon: "keys" },
];

/** Fill the bar; gives the way to write the place into it. */
export function controls(parent: HTMLElement, run: (command: Command) => void): (place: string, ends: { first: boolean; last: boolean }) => void {
  const pic = (command: Command, name: Icon): HTMLButtonElement => {
    const made = button("", () => run(command), "pic");
    const label = t(`present.${command}`);
    for (const [key, value] of Object.entries({ "aria-label": label, title: label, "data-act": command })) made.setAttribute(key, value);
    made.append(icon(name));
    return made;
  };
  const [back, next] = [pic("back", "back"), pic("next", "forward")];
  const place = element("span", { class: "place" });
  const offered = BUTTONS.filter(({ command }) => command !== "full" || document.fullscreenEnabled);
  parent.replaceChildren(...offered.map(({ command, icon }) => pic(command, icon)), element("span", { class: "gap" }), back, place, next);
  return (words, { first, last }) => {
    place.textContent = words;
    // Not `disabled`, which would throw out the focus.
    back.setAttribute("aria-disabled", String(first));
    next.setAttribute("aria-disabled", String(last));
  };
}

/** Mark the page as idle while nobody moves a pointer or touches it. */
export function rest(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wake = (): void => {
    document.body.classList.remove("idle");
    clearTimeout(timer);
    timer = setTimeout(() => document.body.classList.add("idle"), REST);
  };
  for (const event of ["pointermove", "pointerdown"]) addEventListener(event, wake, { passive: true });
  // While a button is reached by keys all stay, see the styles.
  addEventListener("focusin", wake);
  wake();
}

/** The list of keys, as a dialog. */
export function showKeys(): void {
  const rows = LISTED.flatMap(({ command, keys }) => {
    const label: Key = `present.${command}`;
    return [element("dt", {}, ...keys.map((key) => element("kbd", {}, key))), element("dd", {}, t(label))];
  });
  const close = button(t("common.close"), () => dialog.close());
  const heading = element("h2", { id: "keys-title" }, t("present.keys"));
  const dialog = element("dialog", { class: "keys", "aria-labelledby": "keys-title" }, heading, element("dl", {}, ...rows), close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
