/** Words of this person that only this browser has. */

import { pendingCount } from "../words/kept.ts";

/** How many changes; 0 also where nothing can be kept. */
export const unsent = (person: string): Promise<number> => pendingCount(person).catch(() => 0);
