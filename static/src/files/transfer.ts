/** Move to a folder that is chosen in a window. */

import { relocate } from "./acts.ts";
import type { Board } from "./board.ts";
import { chosenFolder } from "./choose-folder.ts";
import type { Entry } from "./entries.ts";

export async function transfer(board: Board, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const folder = await chosenFolder(entries, board.place.folder);
  if (folder !== null) await relocate(board, entries, folder);
}
