/** Where people are in a text. */

import type * as Y from "yjs";

import type { Desk } from "../editor/desk.ts";
import type { Modes } from "../editor/modes.ts";
import type { Crowd } from "./crowd.ts";
import { caretsIn } from "./cursors.ts";
import { doingWords } from "./doing.ts";
import { Marks } from "./marks.ts";
import type { Places } from "./places.ts";
import { reveal } from "./reveal.ts";

/** The places of a text; from now on its preview is marked where others write. */
export function textPlaces(desk: Desk, modes: Modes, crowd: Crowd): Places {
  void new Marks(desk, modes, crowd);
  const { view, text } = desk;
  return {
    words: ({ mine, doing, client }) => {
      const caret = mine ? view.state.selection.main : (caretsIn(view)?.caretOf(client) ?? null);
      return doingWords(doing, view.state, mine && doing === "reading" ? null : (caret?.head ?? null));
    },
    has: (client) => Boolean(caretsIn(view)?.caretOf(client)),
    reveal: (client, centre) => {
      const caret = caretsIn(view)?.caretOf(client);
      if (caret) reveal(desk, modes, caret.head, centre);
    },
    point: (client) => caretsIn(view)?.point(client),
    watch: (listener) => caretsIn(view)?.watch(listener) ?? (() => undefined),
    watchOwn: (listener) => {
      const own = (_event: Y.YTextEvent, { local }: Y.Transaction): void => {
        if (local) listener();
      };
      text.observe(own);
      return () => text.unobserve(own);
    },
    focus: () => view.focus(),
  };
}
