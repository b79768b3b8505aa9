/** Says what happened to the file outside of this page: what it was, what is safe, what one can do. */

import { call, editAddress, Problem } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { viewOnly } from "../base/viewing.ts";
import { note, unnote, type Act } from "../base/notes.ts";
import { tellHeld } from "./held.ts";
import type { Notice } from "./notices.ts";

/** Milliseconds for which it is shown what needs nothing to be done. */
const SHOWN = 10_000;

/** The page, as far as it can do something about it. */
export interface Helper {
  readonly framed: boolean;
  readonly readOnly: boolean;
  /** The name that stays. */
  readonly id: string;
  /** Who this page is of. */
  readonly me: string;
  /** A copy of the text, or nothing before it is here. */
  copy(): Act[];
  failed(text: string): void;
  focus(): void;
}

export class Happenings {
  private readonly shown = element("div", { class: "happened", role: "status" });
  private gone = false;
  private going: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly helper: Helper) {
    document.body.append(this.shown);
  }

  tell(notice: Notice): void {
    switch (notice.kind) {
      case "merged":
        return this.say(notice.by === "" ? t("outside.merged") : t("outside.merged.by", { name: notice.by }));
      case "back":
        return this.say(t("outside.back"));
      case "restored":
        if (notice.by !== this.helper.me) this.say(t("outside.restored", { name: notice.by }));
        return;
      case "replaced":
        return this.replaced();
      case "conflict":
        return this.conflict(notice.path, notice.by);
      case "rejected":
        return this.beside("rejected", notice.path, t("outside.rejected.title"), this.rejected(notice.path, notice.by));
      case "kept":
        return this.beside("kept", notice.path, t("outside.kept.title"), t("outside.kept.text", { name: fileName(notice.path) }));
      case "held":
        return tellHeld(notice, () => this.helper.focus());
      case "free":
        return this.away("held");
      case "about":
        return void import("../about/window.ts").then(({ heard }) => heard(notice));
      case "gone":
        return;
    }
  }

  /** Whether the file is gone now: said as long as it is so. */
  file(gone: boolean): void {
    if (gone === this.gone) return;
    this.gone = gone;
    if (!gone) return this.away("gone");
    const { readOnly, helper } = { readOnly: this.helper.readOnly, helper: this.helper };
    const back: Act = { label: t("words.act.restore"), act: () => void this.putBack(), kind: "primary" };
    const text = [t("outside.gone.text"), t(readOnly ? "outside.gone.reader" : "outside.gone.do")];
    note("gone", { title: t("outside.gone.title"), text, acts: [...(readOnly ? [] : [back]), ...helper.copy()], kind: "grave" });
  }

  private async putBack(): Promise<void> {
    unnote("failed");
    try {
      await call("POST", `/api/documents/${encodeURIComponent(this.helper.id)}/return`);
    } catch (problem) {
      this.helper.failed(problem instanceof Problem ? problem.message : String(problem));
    }
  }

  /** Rare, and nobody's fault here: whoever is here should look. */
  private replaced(): void {
    const look: Act = { label: t("outside.act.history"), act: () => void dispatchEvent(new CustomEvent("collab-history")) };
    const close: Act = { label: t("common.close"), act: () => this.away("replaced") };
    note("replaced", { title: t("outside.replaced.title"), text: t("outside.replaced.text"), acts: [...(viewOnly ? [] : [look]), close], kind: "grave" });
  }

  private conflict(path: string, by: string): void {
    const name = fileName(path);
    const text = by === "" ? t("outside.conflict.text", { name }) : t("outside.conflict.by", { name, who: by });
    this.beside("conflict", path, t("outside.conflict.title"), text);
  }

  private rejected(path: string, who: string): string {
    const name = fileName(path);
    return who === "" ? t("outside.rejected.text", { name }) : t("outside.rejected.by", { name, who });
  }

  private beside(kind: string, path: string, title: string, text: string): void {
    const key = `${kind}-${path.replace(/[^\p{L}\p{N}]/gu, "-")}`;
    const open: Act = { label: t("outside.act.open", { name: fileName(path) }), act: editAddress(path), beside: true };
    const close: Act = { label: t("common.close"), act: () => this.away(key) };
    note(key, { title, text, acts: [...(this.helper.framed ? [] : [open]), close], kind: "grave" });
  }

  private away(key: string): void {
    if (unnote(key)) this.helper.focus();
  }

  /** In a corner, so that the text stays where it is; the same words again are not read aloud again. */
  private say(text: string): void {
    if (this.shown.textContent !== text) this.shown.replaceChildren(element("p", {}, text));
    clearTimeout(this.going);
    this.going = setTimeout(() => this.shown.replaceChildren(), SHOWN);
  }
}
