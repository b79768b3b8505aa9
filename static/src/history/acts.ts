/** What one does with a version beside looking at it. */

import { Problem } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { note, type Act } from "../base/notes.ts";
import { saveAs } from "../words/outcomes.ts";
import { moment } from "./telling.ts";
import type { Version } from "./sittings.ts";
import { restore as restoreStored, type StoredVersion } from "./stored.ts";
import { restore, type Restored } from "./versions.ts";

export const why = (error: unknown): string => (error instanceof Problem ? error.message : String(error));

/** Make a version the text again, and say so with a way back. Raises `Problem`. */
export async function bringBack(document: string, version: Version, show: () => void): Promise<void> {
  told(document, await restore(document, version.number), version.name || moment(version), show, version.number);
}

/** The same with one of the cloud's versions. */
export async function bringStoredBack(document: string, version: StoredVersion, show: () => void): Promise<void> {
  told(document, await restoreStored(document, version), moment(version), show);
}

function told(document: string, { version: made, before }: Restored, when: string, show: () => void, number?: number): void {
  const history: Act = { label: t("history.open"), act: show };
  if (made === null) return note("history", { text: t("history.cloud.replaced", { when }), acts: [leave] });
  if (before === null || before === number) return note("history", { text: t("history.same", { when }), acts: [history] });
  const undo: Act = { label: t("common.undo"), act: () => void takeBack(document, before, made, history), kind: "primary" };
  note("history", { text: t("history.restored", { when }), acts: [undo, history, leave] });
}

async function takeBack(document: string, before: number, made: number, history: Act): Promise<void> {
  try {
    await restore(document, before, made);
    note("history", { text: t("history.undone"), acts: [history, leave] });
  } catch (error) {
    note("history", { title: t("history.notRestored"), text: why(error), acts: [history, leave], kind: "grave" });
  }
}

const leave: Act = {
  get label() {
    return t("common.close");
  },
  act: () => close(),
};

function close(): void {
  document.querySelector('[data-note="history"]')?.remove();
}

/** Let the browser save a version, under a name that tells when it was. Raises `Problem`. */
export async function keepCopy(bytes: Promise<Blob>, at: string, fileName: string): Promise<void> {
  const dot = fileName.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [fileName.slice(0, dot), fileName.slice(dot)] : [fileName, ""];
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const when = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}.${two(date.getMinutes())}.${two(date.getSeconds())}`;
  saveAs(await bytes, `${stem} (${when})${ending}`);
}
