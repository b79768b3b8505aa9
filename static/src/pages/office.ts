/** The page of an office suite: one document, opened in the suite's own frame. */

import { part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { nameIn } from "../base/names.ts";
import { base } from "../base/page.ts";
import { begin } from "../base/start.ts";
import { nameless } from "../office/refused.ts";
import { OfficePage } from "../office/page.ts";

async function start(): Promise<void> {
  await begin();
  part("back").append(icon("back"));
  part("share").append(icon("link"));
  const name = nameIn(location.pathname, base, "office");
  if (name === null) return nameless();
  const query = new URLSearchParams(location.search);
  const page = new OfficePage(name, query.get("suite") ?? "", query.get("action") === "view" ? "view" : "edit");
  await page.start();
}

void start();
