/** Which suites open a file, what they do with it, and where that is. */

import { editAddress } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { encoded, fileName } from "../base/names.ts";
import { base } from "../base/page.ts";
import { suites, type Suite } from "./rest.ts";

export interface Offer {
  readonly suite: string;
  readonly action: "edit" | "view";
  readonly healthy: boolean;
}

const ACTIONS = ["edit", "view"] as const;

let asked: Promise<readonly Suite[]> | null = null;
let known: readonly Suite[] = [];

/** The suites of this server, asked for once; none when that cannot be known. */
export function knownSuites(): Promise<readonly Suite[]> {
  asked ??= suites().then(
    (found) => (known = found),
    () => [],
  );
  return asked;
}

/** What can be done with a file of this name, suite by suite in the server's order; only to be read: no editing. */
export function offers(name: string, readOnly: boolean, among: readonly Suite[] = known): Offer[] {
  const ext = extensionOf(name);
  return among.flatMap(({ name: suite, healthy, actions }) =>
    ACTIONS.filter((action) => (action === "view" || !readOnly) && actions.some((each) => each.action === action && each.ext.toLowerCase() === ext)).map(
      (action) => ({ suite, action, healthy }),
    ),
  );
}

/** The one that opens a file when nothing else is said: the first that answers. */
export function preferred(all: readonly Offer[]): Offer | null {
  const able = all.filter(({ healthy }) => healthy);
  return able.find(({ action }) => action === "edit") ?? able[0] ?? null;
}

export const labelOf = ({ suite, action }: Pick<Offer, "suite" | "action">): string => t(`office.open.${action}`, { suite });

/** The page in which a suite opens a document; `name` is a path or an id. */
export function officeAddress(name: string, { suite, action }: { suite: string; action: string }): string {
  return `${base}/office/${encoded(name)}?${new URLSearchParams({ suite, action }).toString()}`;
}

/** Where a file is opened that is no text: in the preferred suite, when one takes it. */
export function plainAddress(path: string, readOnly: boolean): string {
  const offer = preferred(offers(path, readOnly));
  return offer === null ? editAddress(path) : officeAddress(path, offer);
}

function extensionOf(path: string): string {
  const name = fileName(path);
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}
