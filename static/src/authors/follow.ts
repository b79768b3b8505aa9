/** The preference for the authors' colours, as long as nobody wants them. */

import type { Desk } from "../editor/desk.ts";
import { preferences } from "../settings/preferences.ts";

/** Show them as the person prefers, now and later. What it takes is loaded when they are wanted. */
export function followAuthors(desk: Desk): void {
  let loaded = false;
  const look = (): void => {
    if (!loaded && !preferences.get().authors) return;
    loaded = true;
    import("./colors.ts").then(({ colorsIn }) => colorsIn(desk), () => (loaded = false));
  };
  preferences.watch((now, before) => {
    if (now.authors !== before.authors) look();
  });
  look();
}
