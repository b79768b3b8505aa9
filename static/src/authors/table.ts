/** The table of contributors: how much of what is there is whose, and who deleted how much. */

import "../styles/authors.css";
import { button, element } from "../base/dom.ts";
import { spoken, t } from "../base/messages.ts";
import { dialog } from "../files/dialog.ts";
import { Palette } from "../people/colors.ts";
import { Crowd } from "../people/crowd.ts";
import { picture } from "../people/faces.ts";
import { preferences } from "../settings/preferences.ts";
import { full, since } from "../words/times.ts";
import type { Awareness } from "y-protocols/awareness";
import { ask, called, type Author, type Authors } from "./authors.ts";

/** Where the table is shown: which document, who is here, and whether its text can have colours. */
export interface Shown {
  path: string;
  awareness: Awareness;
  colors: boolean;
}

/** Show it; the focus comes back to where it was when it is closed. */
export function showAuthors({ path, awareness, colors }: Shown): void {
  document.querySelector<HTMLDialogElement>("dialog.contributors")?.close();
  const body = element("div", { class: "body", "aria-busy": "true" }, element("p", { role: "status" }, t("authors.loading")));
  dialog(t("authors.title"), "wide contributors", ...(colors ? [toggle()] : []), body);
  void fill(body, path, Crowd.of(awareness));
}

function toggle(): HTMLElement {
  const input = element("input", { type: "checkbox", role: "switch", checked: preferences.get().authors });
  input.addEventListener("change", () => preferences.set({ authors: input.checked }));
  return element("label", { class: "switch" }, input, t("authors.switch"));
}

async function fill(body: HTMLElement, path: string, crowd: Crowd): Promise<void> {
  try {
    const known = await ask(path);
    body.replaceChildren(known.authors.length === 0 ? element("p", {}, t("authors.nobody")) : table(known, crowd), element("p", { class: "hint" }, t("authors.hint")));
  } catch (problem) {
    const again = button(t("authors.again"), () => void fill(body, path, crowd));
    body.replaceChildren(element("p", { role: "alert" }, problem instanceof Error ? problem.message : String(problem)), element("div", { class: "acts" }, again));
  }
  body.removeAttribute("aria-busy");
}

function table({ characters, authors }: Authors, crowd: Crowd): HTMLElement {
  const palette = new Palette();
  const heads = (["author", "characters", "deleted", "last"] as const).map((column) => element("th", { scope: "col", class: column }, t(`authors.column.${column}`)));
  const rows = authors.map((author) => row(author, characters, crowd.person(author.id)?.color ?? palette.color(author.id, author.color || "#64748b")));
  const total = element(
    "tr",
    {},
    element("th", { scope: "row" }, t("authors.total")),
    element("td", { class: "characters" }, number(characters)),
    element("td", { class: "deleted" }, number(authors.reduce((sum, { deleted }) => sum + deleted, 0))),
    element("td", { class: "last" }),
  );
  return element("table", {}, element("caption", { class: "away" }, t("authors.title")), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows), element("tfoot", {}, total));
}

function row(author: Author, whole: number, color: string): HTMLElement {
  const share = whole === 0 ? 0 : author.characters / whole;
  const bar = element("span", { class: "part", "aria-hidden": "true" }, element("span", {}));
  const made = element(
    "tr",
    { "data-author": called(author) },
    element("th", { scope: "row" }, author.kind === "person" ? picture({ ...author, color }) : null, element("bdi", {}, called(author))),
    element(
      "td",
      { class: "characters" },
      element("span", { class: "count" }, number(author.characters), " ", element("small", {}, percent(share))),
      bar,
      author.relayed === 0 ? null : element("small", { class: "relayed" }, t("authors.relayed", { n: author.relayed })),
    ),
    element("td", { class: "deleted" }, number(author.deleted)),
    element("td", { class: "last" }, last(author)),
  );
  if (author.kind === "person") made.style.setProperty("--who", color);
  bar.style.setProperty("--share", `${(100 * share).toFixed(2)}%`);
  return made;
}

function last({ last: when }: Author): HTMLElement | string {
  return when === null ? t("authors.never") : element("time", { datetime: when, title: full(when) }, since(Date.parse(when)));
}

const number = (value: number): string => value.toLocaleString(spoken());

/** Somebody who is there has a part, however small. */
function percent(share: number): string {
  const digits = share > 0 && share < 0.01 ? 2 : 0;
  return share.toLocaleString(spoken(), { style: "percent", maximumFractionDigits: digits });
}
