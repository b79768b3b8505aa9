/** The page of slides: a Markdown document to be shown to an audience, and in a second window to the one who speaks. */

import { t } from "../base/messages.ts";
import { fileName, folderOf, nameIn } from "../base/names.ts";
import { base } from "../base/page.ts";
import { begin } from "../base/start.ts";
import { Presentation } from "../present/presentation.ts";
import { refuse } from "../present/refused.ts";
import { speakerOf } from "../present/speaker.ts";

async function start(): Promise<void> {
  await begin();
  const name = nameIn(location.pathname, base, "present");
  if (name === null) return refuse({ title: t("present.stage"), text: t("present.noName"), remedies: ["files"] }, { folder: "", retry: () => {} });
  const presentation = new Presentation(name, speakerOf(location.search));
  Object.defineProperty(window, "collab", { get: () => ({ presentation, folder: folderOf(name), file: fileName(name) }) });
}

void start();
