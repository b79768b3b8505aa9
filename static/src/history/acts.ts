/** What one does with a version beside looking at it. */

import { Problem } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { note, type Act } from "../base/notes.ts";
import { saveAs } from "../words/outcomes.ts";
import { moment } from "./telling.ts";
import type { Version } from "./sittings.ts";
import { bytes, restore } from "./versions.ts";

export const why = (error: unknown): string => (error instanceof Problem ? error.message : String(error));

/** Make a version the text again, and say so with a way back. Raises `Problem`. */
export async function bringBack(document: string, version: Version, show: () => void): Promise<void> {
  const { version: made, before } = await restore(document, version.number);
  const when = version.name || moment(version);
  const history: Act = { label: t("history.open"), act: show };
  if (before === null || before === version.number) return note("history", { text: t("history.same", { when }), acts: [history] });
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
export async function keepCopy(document: string, { number, at }: Version, fileName: string): Promise<void> {
  const dot = fileName.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [fileName.slice(0, dot), fileName.slice(dot)] : [fileName, ""];
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const when = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}.${two(date.getMinutes())}.${two(date.getSeconds())}`;
  saveAs(await bytes(document, number), `${stem} (${when})${ending}`);
}
