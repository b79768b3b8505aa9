/** Why there are no slides, or no newer ones, and what one can do. */

import { t } from "../base/messages.ts";
import { note, type Act } from "../base/notes.ts";
import { address } from "../base/page.ts";
import type { Refusal, Remedy } from "../words/refusals.ts";

/** Say it above the slides. Nothing was written here, so that there is nothing to copy. */
export function refuse({ title, text, remedies }: Refusal, { folder, retry }: { folder: string; retry: () => void }): void {
  const acts: Readonly<Partial<Record<Remedy, Act>>> = {
    retry: { label: t("common.retry"), act: retry },
    "sign-in": { label: t("present.signIn"), act: address.loginAndBack() },
    files: { label: t("common.files"), act: address.files(folder) },
    reload: { label: t("present.reload"), act: () => location.reload() },
  };
  note("refusal", { title, text, acts: remedies.flatMap((remedy) => acts[remedy] ?? []), kind: "grave" });
}
