/** The line below the text: what it counts, and where the caret is. */

import { countColumn } from "@codemirror/state";

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { minutes, type Count } from "./count.ts";
import { Counting } from "./counting.ts";
import type { Desk } from "./desk.ts";
import { isProse, isTable } from "./languages.ts";

const none: Count = { words: 0, characters: 0 };

/** Fill `parent`: words, characters and reading time for texts, the caret's line and column for all. */
export function statusLine(parent: HTMLElement, desk: Desk): void {
  const counts = element("span", { class: "counts" });
  const place = element("span", { class: "place" });
  parent.replaceChildren(counts, place);
  parent.hidden = false;
  const prose = isProse(desk.path) && !isTable(desk.path);
  const show = (total: Count, selected: Count | null): void => counts.replaceChildren(...parts(desk, total, selected).map((text) => element("span", {}, text)));
  if (prose) new Counting(desk, ({ total, selected }) => show(total, selected));
  else show(none, null);
  let drawn = 0;
  const draw = (): void => {
    drawn ||= requestAnimationFrame(() => {
      drawn = 0;
      place.textContent = placeOf(desk);
      if (!prose) counts.textContent = lines(desk);
    });
  };
  desk.watch((update) => {
    if (update.selectionSet || update.docChanged) draw();
  });
  draw();
}

const lines = ({ view }: Desk): string => t("editor.count.lines", { n: view.state.doc.lines });

function parts(desk: Desk, total: Count, selected: Count | null): string[] {
  if (selected !== null) {
    const words = t("editor.count.wordsOf", { n: selected.words, all: total.words });
    return [words, t("editor.count.charactersOf", { n: selected.characters, all: total.characters })];
  }
  const { words, characters } = total;
  return [t("editor.count.words", { n: words }), t("editor.count.characters", { n: characters }), lines(desk), t("editor.count.minutes", { n: minutes(words) })];
}

/** "Line 12, column 5": columns as they are seen, a tab up to its stop. */
function placeOf({ view }: Desk): string {
  const { state } = view;
  const { head } = state.selection.main;
  const line = state.doc.lineAt(head);
  const column = countColumn(line.text.slice(0, Math.min(head - line.from, 10_000)), state.tabSize) + 1;
  return t("editor.place", { line: line.number, column });
}
