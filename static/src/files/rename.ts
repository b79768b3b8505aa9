/** A name is changed where it stands. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { rename } from "./acts.ts";
import type { Board } from "./board.ts";
import { folderOfEntry, type Entry } from "./entries.ts";
import { exists, failure } from "./failures.ts";
import { namesIn } from "./folders.ts";
import { complete, extension, fault, free, stem } from "./naming.ts";

/** Put a field in place of the name: Enter keeps what is typed, Escape what was. */
export function edit(board: Board, entry: Entry): void {
  const title = board.grid.row(entry.key)?.querySelector<HTMLElement>(".title");
  if (!title || title.querySelector("form") !== null) return;
  const label = t("files.rename.label", { name: entry.name });
  const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
  const field = element("input", { type: "text", value: entry.name, "aria-label": label, ...plain });
  const said = element("span", { class: "fault", role: "alert" });
  const form = element("form", { class: "rename" }, field, said);
  const former = [...title.children].filter((each): each is HTMLElement => each instanceof HTMLElement && !each.hidden);
  for (const each of former) each.hidden = true;
  title.append(form);
  const row = title.closest<HTMLElement>("[role=row]");
  row?.setAttribute("draggable", "false");
  field.focus();
  field.setSelectionRange(0, stem(entry.name).length);
  let over = false;

  function end(): void {
    over = true;
    const focused = form.contains(document.activeElement);
    form.remove();
    for (const each of former) each.hidden = false;
    row?.setAttribute("draggable", "true");
    if (focused) board.grid.focus(entry.key);
  }

  async function keep(): Promise<void> {
    const name = entry.isFolder ? field.value.trim() : complete(field.value, extension(entry.name));
    if (over || name === entry.name) return end();
    const wrong = fault(name);
    if (wrong !== null) return complain(t(`files.fault.${wrong}`));
    over = true;
    try {
      await rename(board, entry, name);
      form.remove();
    } catch (problem) {
      over = false;
      await refused(problem, name);
    }
  }

  async function refused(problem: unknown, name: string): Promise<void> {
    if (!exists(problem)) return complain(failure(problem));
    const names = await namesIn(folderOfEntry(entry)).catch(() => new Set([name]));
    field.value = free(name, (each) => names.has(each));
    complain(t("files.rename.exists", { name }));
  }

  function complain(words: string): void {
    said.textContent = words;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    field.setSelectionRange(0, stem(field.value).length);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void keep();
  });
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") end();
  });
  // Who goes elsewhere keeps what is typed, unless it was refused already.
  field.addEventListener("blur", () => void (over || (said.textContent === "" ? keep() : end())));
}
