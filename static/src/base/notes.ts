/** Notes above the text: each has a key, so that the same fact is said once. */

import { button, element, part } from "./dom.ts";

export interface Act {
  label: string;
  /** What happens, or an address to go to. */
  act: (() => void) | string;
  /** Save the address as a file instead of going there. */
  download?: string;
}

export interface Note {
  title?: string;
  text: string;
  acts?: readonly Act[];
  kind?: "calm" | "grave";
}

/** Show a note, in place of the one with the same key. */
export function note(key: string, { title, text, acts = [], kind = "calm" }: Note): void {
  const heading = title === undefined ? null : element("h2", {}, title);
  const controls = acts.length === 0 ? null : element("p", { class: "acts" }, ...acts.map(control));
  const made = element(
    "section",
    { class: `note ${kind}`, "data-note": key, role: kind === "grave" ? "alert" : "status" },
    heading,
    element("p", {}, text),
    controls,
  );
  const former = noted(key);
  if (former === null) part("notes").append(made);
  else former.replaceWith(made);
}

/** Take a note away; says whether it had the keyboard's focus, which is then nowhere. */
export function unnote(key: string): boolean {
  const former = noted(key);
  const focused = former?.contains(document.activeElement) ?? false;
  former?.remove();
  return focused;
}

function noted(key: string): Element | null {
  return part("notes").querySelector(`[data-note="${key}"]`);
}

function control({ label, act, download }: Act): HTMLElement {
  if (typeof act !== "string") return button(label, act);
  return element("a", download === undefined ? { href: act, class: "button" } : { href: act, class: "button", download }, label);
}
