/** Notes above the text: each has a key, so that the same fact is said once. */

import { button, element, part } from "./dom.ts";
import { t } from "./messages.ts";

export interface Act {
  label: string;
  /** What happens, or an address to go to. */
  act: (() => void) | string;
  /** Save the address as a file instead of going there. */
  download?: string;
  /** Open the address beside this page. */
  beside?: boolean;
  /** What can't be taken back is asked for once more, in these words. */
  ask?: string;
  kind?: "plain" | "primary";
}

export interface Note {
  title?: string;
  /** One paragraph, or several. */
  text: string | readonly string[];
  acts?: readonly Act[];
  kind?: "calm" | "grave";
}

/** Show a note, in place of the one with the same key. */
export function note(key: string, { title, text, acts = [], kind = "calm" }: Note): void {
  const heading = title === undefined ? null : element("h2", {}, title);
  const paragraphs = (typeof text === "string" ? [text] : text).filter((each) => each !== "").map((each) => element("p", {}, each));
  const controls = acts.length === 0 ? null : element("div", { class: "acts" }, ...acts.map(control));
  const made = element(
    "section",
    { class: `note ${kind}`, "data-note": key, role: kind === "grave" ? "alert" : "status" },
    heading,
    ...paragraphs,
    controls,
  );
  const former = noted(key);
  if (former === null) return part("notes").append(made);
  // The same words again would be read aloud again.
  if (former.textContent === made.textContent && former.className === made.className) return;
  const focused = former.contains(document.activeElement);
  former.replaceWith(made);
  if (focused) made.querySelector<HTMLElement>("button, a")?.focus();
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

function control(act: Act): HTMLElement {
  const { label, act: what, download, beside = false, ask, kind = "plain" } = act;
  if (typeof what !== "string") return button(label, ask === undefined ? what : (event) => question(event, act, ask, what), kind);
  if (beside) return element("a", { href: what, class: "button", target: "_blank", rel: "noopener" }, label);
  return element("a", download === undefined ? { href: what, class: "button" } : { href: what, class: "button", download }, label);
}

/** The question takes the place of the things to do. */
function question(event: Event, act: Act, ask: string, what: () => void): void {
  const asker = event.currentTarget;
  const acts = asker instanceof HTMLElement ? asker.closest(".acts") : null;
  if (acts === null) return;
  const former = [...acts.childNodes];
  const back = (): void => {
    acts.replaceChildren(...former);
    if (asker instanceof HTMLElement) asker.focus();
  };
  const no = button(t("common.cancel"), back);
  acts.replaceChildren(element("span", { class: "ask" }, ask), button(act.label, what), no);
  no.focus();
}
