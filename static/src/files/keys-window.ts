/** The window that shows the keys of this page. */

import { element } from "../base/dom.ts";
import { t, type Key } from "../base/messages.ts";
import { dialog } from "./dialog.ts";

const KEYS: readonly (readonly [keys: readonly string[], what: Key])[] = [
  [["↑", "↓"], "files.keys.walk"],
  [["←", "→"], "files.keys.along"],
  [["Home", "End"], "files.keys.ends"],
  [["Enter"], "files.keys.open"],
  [["Backspace"], "files.keys.up"],
  [["Space"], "files.keys.choose"],
  [["Shift", "↑"], "files.keys.extend"],
  [["Ctrl", "A"], "files.keys.all"],
  [["Esc"], "files.keys.none"],
  [["F2"], "files.keys.rename"],
  [["m"], "files.keys.move"],
  [["Delete"], "files.keys.delete"],
  [["*"], "files.keys.star"],
  [["Ctrl", "Z"], "files.keys.undo"],
  [["n"], "files.keys.new"],
  [["/"], "files.keys.find"],
  [["?"], "files.keys.help"],
];

export function showKeys(): void {
  const rows = KEYS.flatMap(([keys, what]) => [element("dt", {}, ...keys.map((key) => element("kbd", {}, key))), element("dd", {}, t(what))]);
  dialog(t("files.keys"), "keys", element("dl", {}, ...rows));
}
