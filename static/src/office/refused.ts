/** Why a suite does not open a document, in words, and what one can do. */

import { contentAddress, Problem } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import { note, type Act } from "../base/notes.ts";
import { address } from "../base/page.ts";

/** What is refused: the document's path or id, the suite, and a way to try again. */
export interface Refused {
  readonly path: string;
  readonly id: string;
  readonly suite: string;
  retry(): void;
}

type Why = "offline" | "stranger" | "denied" | "missing" | "unknown" | "locked" | "away" | "silent" | "blocked" | "failed";

const BY_STATUS: Readonly<Record<number, Why>> = {
  0: "offline",
  401: "stranger",
  403: "denied",
  404: "missing",
  409: "locked",
  423: "locked",
  502: "away",
  503: "away",
  504: "away",
};

/** The reason of an answer that is no success; one that we do not know is told in the server's words. */
export function whyOf({ status }: Problem): Why {
  return BY_STATUS[status] ?? "failed";
}

/** Say why in place of the suite; `detail` is what server or suite say of it. */
export function refuse(why: Why, refused: Refused, detail = "", more: readonly Act[] = []): void {
  part("place").setAttribute("aria-busy", "false");
  part("waiting").hidden = true;
  document.body.dataset["state"] = "failed";
  const { suite } = refused;
  const text = [t(`office.${why}.text`, { suite }), ...(detail === "" ? [] : [detail])];
  note("refusal", { title: t(`office.${why}.title`, { suite, name: fileName(refused.path) }), text, acts: [...acts(why, refused), ...more], kind: "grave" });
}

function acts(why: Why, { path, id, retry }: Refused): Act[] {
  const again: Act = { label: t("common.retry"), act: retry, kind: "primary" };
  const files: Act = { label: t("common.files"), act: address.files(path.startsWith("id:") ? "" : folderOf(path)) };
  const get: Act = { label: t("files.act.download"), act: contentAddress(id), download: fileName(path) };
  if (why === "stranger") return [{ label: t("files.stranger.login"), act: address.loginAndBack(), kind: "primary" }, again];
  if (why === "offline" || why === "denied") return [again, files];
  if (why === "missing") return [files];
  return [...(why === "unknown" ? [] : [again]), get, files];
}

/** The address names no document. */
export function nameless(): void {
  part("place").setAttribute("aria-busy", "false");
  part("waiting").hidden = true;
  document.body.dataset["state"] = "failed";
  const acts: Act[] = [{ label: t("common.files"), act: address.files() }];
  note("refusal", { title: t("words.nameless.title"), text: t("words.nameless.text"), acts, kind: "grave" });
}

