/** What is said where the list would be: it is on its way, empty, refused or out of reach, and what one can do. */

import { Problem } from "../base/api.ts";
import { button, element, part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { folderOf } from "../base/names.ts";
import type { Act } from "../base/notes.ts";
import { address } from "../base/page.ts";
import { failure } from "./failures.ts";
import { addressOf, inFolder, type Place } from "./place.ts";

/** Milliseconds until a list that is on its way is drawn as grey lines: quick answers need none. */
const PATIENCE = 200;

let waiting: ReturnType<typeof setTimeout> | undefined;

/** From now on the list is on its way; `quiet`: a list is there already. */
export function wait(quiet: boolean): void {
  clearTimeout(waiting);
  part("grid").setAttribute("aria-busy", "true");
  if (!quiet) waiting = setTimeout(() => (part("skeleton").hidden = false), PATIENCE);
}

export function arrived(): void {
  clearTimeout(waiting);
  part("skeleton").hidden = true;
  part("grid").setAttribute("aria-busy", "false");
}

/** Say this in place of the list; without words say nothing. */
export function state(title = "", text = "", acts: readonly Act[] = [], kind = "calm"): void {
  const message = part("message");
  const controls = acts.map(({ label, act }) => (typeof act === "string" ? element("a", { href: act, class: "button" }, label) : button(label, act)));
  const row = controls.length === 0 ? null : element("div", { class: "acts" }, ...controls);
  const made = [title === "" ? null : element("h2", {}, title), text === "" ? null : element("p", {}, text), row];
  message.replaceChildren(...made.filter((each) => each !== null));
  message.className = `state ${kind}`;
  message.hidden = title === "" && text === "";
}

/** Nothing is here: what belongs here, and how it comes here. */
export function empty({ view }: Place, writable: boolean, begin: () => void, upload: () => void): void {
  if (view !== "files") return state(t(`files.empty.${view}.title`), t(`files.empty.${view}`));
  if (!writable) return state(t("files.empty.files.title"), t("files.empty.read"));
  const acts = [
    { label: t("files.new.document"), act: begin },
    { label: t("files.upload.files"), act: upload },
  ];
  state(t("files.empty.files.title"), t("files.empty.files"), acts);
}

/** The list did not come. */
export function refused(problem: unknown, place: Place, again: () => void): void {
  if (!(problem instanceof Problem)) throw problem;
  const retry: Act = { label: t("common.retry"), act: again };
  const up: Act = { label: t("files.up"), act: addressOf(inFolder(folderOf(place.folder))) };
  const login: Act = { label: t("files.stranger.login"), act: address.loginAndBack() };
  if (problem.status === 401) return state(t("files.stranger.title"), t("files.stranger"), [login], "grave");
  if (problem.status === 403) return state(t("files.denied.title"), t("files.denied"), [retry], "grave");
  if (problem.status === 404) return state(t("files.missing.title", { name: place.folder }), t("files.missing"), [up], "grave");
  if (problem.status === 0) return state(t("files.offline.title"), t("files.offline"), [retry], "grave");
  state(t("files.broken.title"), failure(problem), [retry], "grave");
}
