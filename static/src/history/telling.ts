/** How versions are told in words: when, by whom, and how they came to be. */

import { spoken, t } from "../base/messages.ts";
import { titled } from "../people/guests.ts";
import { day, type Version, type Writer } from "./sittings.ts";

/** When something was. */
type Moment = Pick<Version, "at">;
type How = Intl.DateTimeFormatOptions;

const shown = (at: string, how: How): string => new Intl.DateTimeFormat(spoken(), how).format(new Date(at));

/** "14:02". */
export const clock = ({ at }: Moment): string => shown(at, { hour: "2-digit", minute: "2-digit" });

/** "14:02:31", so that saves of one minute are told apart. */
export const exactly = ({ at }: Moment): string => shown(at, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** "Today", "Yesterday", "Monday, 3 March 2025". */
export function dayName(version: Moment, now = new Date()): string {
  const before = new Date(now);
  before.setDate(now.getDate() - 1);
  if (day(version) === now.toDateString()) return t("history.today");
  if (day(version) === before.toDateString()) return t("history.yesterday");
  return shown(version.at, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

/** "Today, 14:02:31". */
export const moment = (version: Moment): string => t("history.moment", { day: dayName(version), time: exactly(version) });

/** A time for a short label: with the day, when it is not today. */
export const briefly = (version: Moment): string =>
  day(version) === new Date().toDateString() ? exactly(version) : shown(version.at, { dateStyle: "medium", timeStyle: "short" });

export const writerName = (writer: Writer): string => (writer.name === "" ? t("history.erased") : titled(writer));

/** Names with commas and an "and". */
export const writers = ({ writers: all }: Version): string => new Intl.ListFormat(spoken(), { type: "conjunction" }).format([...new Set(all.map(writerName))]);

/** How it came to be, in a few words. */
export const source = ({ source: how }: Version): string => t(`history.source.${how}`);

/** Everything about it, for who hears it. */
export function said(version: Version): string {
  return [moment(version), version.name, writers(version), version.source === "save" ? "" : source(version)].filter((each) => each !== "").join(", ");
}
