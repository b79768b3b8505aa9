/** Who has a file open in an application outside of the server. */

import { t } from "../base/messages.ts";

export interface Held {
  readonly by: string;
  readonly application: string;
}

/** Above a text that people type in, where it is in nobody's way; above a suite's frame, where it may be; and in one line. */
export function heldWords({ by, application }: Held, where: "text" | "suite" | "line"): string {
  return t(`office.held.${where}`, { by: by || t("office.somebody"), application });
}
