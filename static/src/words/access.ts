/** Why a document that was opened for writing can only be read just now, in words; it goes on by itself. */

import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { note, unnote } from "../base/notes.ts";
import type { Report } from "./words.ts";

type Facts = Pick<Report, "why" | "by" | "application" | "kept">;

/** Who has it, as far as that is known. */
function holder({ by, application }: Facts): string {
  if (application === "") return by === "" ? t("words.access.holder") : t("words.access.holder.by", { by });
  return by === "" ? t("words.access.holder.application", { application }) : t("words.access.holder.both", { by, application });
}

/** Title and paragraphs for the reason; null when there is none to tell. */
export function access(facts: Facts): { title: string; text: string[] } | null {
  const { why, kept } = facts;
  if (why === "") return null;
  const title = t(`words.access.${why}.title`);
  if (why === "taken" || why === "file") return { title, text: [t(`words.access.${why}.text`)] };
  const beside = kept === "" ? "" : t("words.access.kept", { name: fileName(kept) });
  return { title, text: [holder(facts), t(`words.access.${why}.text`), beside] };
}

/** Say so as long as it is so; whether the note that went away had the keyboard. */
export function tellAccess(facts: Facts | null): boolean {
  const said = facts === null ? null : access(facts);
  if (said === null) return unnote("access");
  note("access", said);
  return false;
}
