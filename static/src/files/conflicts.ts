/** What office suites sent and no document could take: told above the list until its copies are gone. */

import { editAddress } from "../base/api.ts";
import { button, element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import { rejected, type Rejected } from "../office/rest.ts";
import { time } from "./facts.ts";
import { addressOf, inFolder } from "./place.ts";

/** Say how many there are; nothing when there are none, or when that cannot be known. */
export async function tellConflicts(): Promise<void> {
  const found = await rejected().catch(() => []);
  const told = part("conflicts");
  told.hidden = found.length === 0;
  if (found.length === 0) return;
  const show = button(t("files.show"), () => void showConflicts());
  told.replaceChildren(element("p", {}, t("files.conflicts", { n: found.length })), show);
}

/** The window with all of them, as they are now. */
async function showConflicts(): Promise<void> {
  const [{ dialog }, found] = await Promise.all([import("./dialog.ts"), rejected().catch(() => [])]);
  const list = element("ul", { class: "conflicts" }, ...found.map(row));
  const window = dialog(t("files.conflicts.title"), "wide", element("p", { class: "hint" }, t("files.conflicts.text")), list);
  // A link to the folder stays in this page.
  list.addEventListener("click", ({ target }) => target instanceof Element && target.closest("a") !== null && window.close());
}

function row({ path, copy, at, reason, by, suite, count }: Rejected): HTMLElement {
  const when = time(at);
  const facts = [by, suite, when.short].filter((each) => each !== "").join(" · ");
  const links = [
    element("a", { href: editAddress(copy) }, t("files.conflicts.copy")),
    ...(path === "" ? [] : [element("a", { href: editAddress(path) }, t("files.conflicts.document"))]),
    element("a", { href: addressOf(inFolder(folderOf(copy))) }, t("files.conflicts.folder")),
  ];
  return element(
    "li",
    {},
    element("h3", {}, element("bdi", {}, fileName(path) || fileName(copy))),
    element("p", { class: "under", title: when.full }, facts),
    element("p", {}, reason),
    count > 1 ? element("p", {}, t("files.conflicts.many", { n: count })) : null,
    element("p", { class: "acts" }, ...links),
  );
}
