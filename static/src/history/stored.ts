/** The versions that a cloud keeps by itself, beside ours: asked for, listed, looked at. */

import { call, download } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { bytes as size } from "../base/show.ts";
import type { Against } from "./comparing.ts";
import type { Piece } from "./pieces.ts";
import { moment } from "./telling.ts";
import type { Restored } from "./versions.ts";

export interface StoredVersion {
  readonly key: string;
  /** RFC 3339. */
  readonly at: string;
  readonly size: number;
}

interface Told {
  /** The storage keeps versions by itself. */
  kept: boolean;
  may_restore: boolean;
  versions: StoredVersion[];
  more: boolean;
  /** Why there are none to see: `denied`, `unsupported`, or "". */
  reason: string;
}

/** With what such a version is compared; numbers of ours are nothing to it. */
export type Beside = "before" | "now" | "none";
export const beside = (against: Against): Beside => (typeof against === "number" ? "before" : against);

const all = (document: string): string => `/api/documents/${encodeURIComponent(document)}/storage-versions`;
const one = (document: string, { key }: StoredVersion): string => `${all(document)}/${encodeURIComponent(key)}`;

const told = (document: string): Promise<Told> => call("GET", all(document));
export const bytes = (document: string, version: StoredVersion): Promise<Blob> => download(`${one(document, version)}/content`);
export const restore = (document: string, version: StoredVersion): Promise<Restored> => call("POST", `${one(document, version)}/restoration`);

/** What came with it, what has happened since, or its text alone. */
export async function difference(document: string, version: StoredVersion, against: Beside, signal: AbortSignal): Promise<Piece[]> {
  return (await call<{ changes: Piece[] }>("GET", `${one(document, version)}/difference?against=${against}`, undefined, {}, signal)).changes;
}

/** The part of the list where they stand: one stop of the Tab key, arrows move in it. */
export class Stored {
  readonly whole = element("section", { class: "stored", hidden: true, "aria-label": t("history.cloud") });
  versions: readonly StoredVersion[] = [];
  mayRestore = false;
  private rows: HTMLButtonElement[] = [];
  private readonly said = element("p", { class: "hint" });
  private readonly list = element("ul");

  constructor(
    private readonly document: string,
    private readonly choose: (version: StoredVersion, done: boolean) => void,
  ) {
    this.whole.append(element("h3", {}, t("history.cloud")), this.said, this.list);
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  /** Ask for them; where they cannot be had, that is no reason to show nothing else. */
  async begin(current: string | null): Promise<void> {
    const found = await told(this.document).catch(() => null);
    this.whole.hidden = found === null || !found.kept;
    if (found === null || !found.kept) return;
    this.versions = found.versions;
    this.mayRestore = found.may_restore;
    const none = found.versions.length === 0 ? t("history.cloud.none") : "";
    const cannot = found.versions.length > 0 && !found.may_restore ? t("history.cloud.cannot") : "";
    const facts = [none, cannot, found.more ? t("history.cloud.more") : ""].filter((each) => each !== "").join(" ");
    this.said.textContent = found.reason === "" ? facts : t(found.reason === "unsupported" ? "history.cloud.lacking" : "history.cloud.hidden");
    this.said.hidden = this.said.textContent === "";
    this.rows = found.versions.map((version) => this.row(version));
    this.list.replaceChildren(...this.rows.map((row) => element("li", {}, row)));
    this.mark(current);
  }

  /** Which one is shown; null: one of ours. */
  mark(key: string | null): void {
    const at = this.versions.findIndex((version) => version.key === key);
    for (const [place, row] of this.rows.entries()) {
      row.tabIndex = place === Math.max(0, at) ? 0 : -1;
      if (place === at) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  private row(version: StoredVersion): HTMLButtonElement {
    const made = button("", () => this.choose(version, true), "version");
    const time = element("time", { datetime: version.at }, moment(version));
    made.append(element("span", { class: "line" }, time), element("span", { class: "how", "data-source": "cloud" }, t("history.cloud.fact", { size: size(version.size) })));
    return made;
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.rows.findIndex((row) => row === document.activeElement);
    const last = this.rows.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    const version = to === undefined ? undefined : this.versions[Math.max(0, Math.min(last, to))];
    if (at === -1 || to === undefined || version === undefined) return;
    event.preventDefault();
    this.choose(version, false);
    this.rows[Math.max(0, Math.min(last, to))]?.focus();
  }
}
