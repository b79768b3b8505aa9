/** The way to the history: from the menu, by a key, by an address. What it is made of is loaded then. */

import { t } from "../base/messages.ts";
import { note } from "../base/notes.ts";
import { addressed, type Place } from "./place.ts";

/** Gives what opens the history, at a version where one is named. */
export function historyDoor(place: Place): (number?: number) => void {
  const open = (number?: number): void => {
    import("./window.ts").then(
      ({ showHistory }) => showHistory(place, number),
      () => note("history", { text: t("history.failed"), acts: [{ label: t("common.retry"), act: () => open(number) }], kind: "grave" }),
    );
  };
  const look = (): void => {
    const number = addressed(location.hash);
    if (number !== undefined) open(number);
  };
  addEventListener("hashchange", look);
  addEventListener("collab-history", () => open());
  look();
  return open;
}
