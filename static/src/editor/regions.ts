/** Keys of the whole page: from part to part, into the toolbar, to the next view. */

import { isMac } from "./keys.ts";
import { focusToolbar } from "./toolbar.ts";
import type { Ways } from "./ways.ts";

/** What F6 goes through, in the order of the page. */
const REGIONS = [".bar", "#notes", "#tools", "#outline", "#editor", "#preview", "#status"] as const;
const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [contenteditable="true"], [tabindex]';

/** The key that opens the list of all keys, and the one for the outline. */
export const OUTLINE_KEY = "Mod-Alt-o";
export const HISTORY_KEY = "Mod-Alt-Shift-h";
export const KEYS_KEY = "Mod-Alt-k";
export const MODE_KEY = "Mod-Alt-m";
export const TOOLBAR_KEY = "Alt-F10";
export const REGION_KEY = "F6";

export function pageKeys(ways: Ways): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const act = wanted(event, ways);
    // Looked for last, as it costs more than a key press may in a large document.
    if (act === null || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    act();
  });
}

function wanted(event: KeyboardEvent, ways: Ways): (() => void) | null {
  const { key, code, altKey, shiftKey, ctrlKey, metaKey } = event;
  if (key === "F6" && !altKey && !ctrlKey && !metaKey) return () => cycle(shiftKey ? -1 : 1, ways);
  if (key === "F10" && altKey && !ctrlKey && !metaKey) return () => void focusToolbar();
  const mod = isMac() ? metaKey && !ctrlKey : ctrlKey && !metaKey;
  // With AltGr people type letters of their language.
  if (!mod || !altKey || event.getModifierState("AltGraph")) return null;
  if (shiftKey) return code === "KeyH" ? () => dispatchEvent(new CustomEvent("collab-history")) : null;
  if (code === "KeyM") return ways.next;
  if (code === "KeyK") return () => ways.keys();
  return code === "KeyO" ? ways.outline : null;
}

/** Put the focus into the next part that has something for it. */
function cycle(step: 1 | -1, ways: Ways): void {
  const regions = REGIONS.flatMap((selector) => [...document.querySelectorAll<HTMLElement>(selector)]);
  const from = regions.findIndex((region) => region.contains(document.activeElement));
  for (let offset = 1; offset <= regions.length; offset += 1) {
    const start = from === -1 && step === -1 ? 0 : from;
    const region = regions[(start + step * offset + regions.length * 2) % regions.length];
    if (region !== undefined && enter(region, ways)) return;
  }
}

function enter(region: HTMLElement, ways: Ways): boolean {
  if (region.offsetParent === null && getComputedStyle(region).position !== "fixed") return false;
  if (region.id === "tools") return focusToolbar();
  if (region.id === "editor") {
    ways.focus();
    return region.contains(document.activeElement);
  }
  if (region.id === "preview") {
    // A long text to read takes the focus itself, so that the arrow keys scroll it.
    if (!region.hasAttribute("tabindex")) region.tabIndex = -1;
    region.focus({ preventScroll: true });
    return true;
  }
  const found = [...region.querySelectorAll<HTMLElement>(FOCUSABLE)].find((each) => each.tabIndex >= 0 && each.offsetParent !== null);
  found?.focus();
  return found !== undefined && document.activeElement === found;
}

/** How much of the page a phone's keyboard covers where the browser does not make the page smaller: `--keyboard`. */
export function keyboardSpace(ways: Ways): void {
  const seen = globalThis.visualViewport;
  if (!seen) return;
  let before = 0;
  const fit = (): void => {
    // When people enlarge the page it is not a keyboard that covers it.
    const covered = seen.scale > 1.01 ? 0 : Math.max(0, Math.round(innerHeight - seen.height));
    if (covered === before) return;
    before = covered;
    document.documentElement.style.setProperty("--keyboard", `${covered}px`);
  };
  const keep = (): void => {
    fit();
    ways.follow();
  };
  seen.addEventListener("resize", keep);
}
