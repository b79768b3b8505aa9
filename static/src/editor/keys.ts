/** Names of keys as this platform and language write them. */

import { t, type Key } from "../base/messages.ts";

export const isMac = (platform = typeof navigator === "undefined" ? "" : navigator.platform): boolean => /^(Mac|iP)/.test(platform);

const SIGNS: Readonly<Record<string, string>> = { Mod: "⌘", Ctrl: "⌃", Alt: "⌥", Shift: "⇧", Enter: "↩", Tab: "⇥", Escape: "⎋" };
const WORDS: Readonly<Record<string, Key>> = {
  Mod: "editor.key.ctrl",
  Ctrl: "editor.key.ctrl",
  Alt: "editor.key.alt",
  Shift: "editor.key.shift",
  Enter: "editor.key.enter",
  Escape: "editor.key.escape",
  Tab: "editor.key.tab",
};

/** The parts of a key such as "Mod-Shift-7" (CodeMirror's way): "Ctrl", "Shift", "7". */
export function parts(key: string, mac = isMac()): string[] {
  const names = key === "Mod--" ? ["Mod", "-"] : key.split("-");
  return names.map((name) => {
    const word = WORDS[name];
    if (mac && SIGNS[name] !== undefined) return SIGNS[name];
    return word === undefined ? name.toUpperCase() : t(word);
  });
}

/** "Ctrl+Shift+7", or "⌘⇧7" on a Mac. */
export const shown = (key: string, mac = isMac()): string => parts(key, mac).join(mac ? "" : "+");

/** As `aria-keyshortcuts` wants it, which is never translated. */
export const announced = (key: string, mac = isMac()): string => key.replaceAll("-", "+").replace("Mod", mac ? "Meta" : "Control");
