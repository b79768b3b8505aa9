/** The person's own menu: who one is here, settings, keys, and the way out. */

import { lease, signOut, type Session } from "../base/api.ts";
import { element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { address } from "../base/page.ts";
import { inkOn } from "../people/colors.ts";
import { initials } from "../people/people.ts";
import { failure } from "./failures.ts";
import { toast } from "./toasts.ts";

/** Draw it for this person; `help` shows the keys. */
export function showMe(me: Session, help: () => void): void {
  const face = element("span", { class: "face", "aria-hidden": "true" }, initials(me.name));
  face.style.setProperty("--who", me.color);
  face.style.setProperty("--ink", inkOn(me.color));
  const menu = element("div", { id: "me-menu", class: "menu", popover: true });
  const open = element(
    "button",
    { type: "button", class: "quiet person", popovertarget: "me-menu", "aria-haspopup": "true" },
    face,
    element("bdi", { "aria-hidden": "true" }, me.name),
    element("span", { class: "away" }, t("files.me", { name: me.name })),
  );
  menu.append(
    element("p", { class: "me-name" }, element("bdi", {}, me.name)),
    item(menu, "settings", t("files.me.settings"), () => void import("../settings/dialog.ts").then(({ showSettings }) => showSettings())),
    item(menu, "keys", t("files.keys"), help),
    // Who came in a frame of another site leaves there.
    ...(lease === null ? [item(menu, "leave", t("files.me.leave"), () => void leave(me))] : []),
  );
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open") menu.querySelector("button")?.focus();
  });
  menu.addEventListener("keydown", (event) => walk(menu, event));
  part("me").replaceChildren(open, menu);
}

function item(menu: HTMLElement, picture: Icon, label: string, act: () => void): HTMLButtonElement {
  const made = element("button", { type: "button" }, icon(picture), label);
  made.addEventListener("click", () => {
    menu.hidePopover();
    act();
  });
  return made;
}

function walk(menu: HTMLElement, event: KeyboardEvent): void {
  const rows = [...menu.querySelectorAll("button")];
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const at = rows.findIndex((each) => each === document.activeElement);
  rows[(at + by + rows.length) % rows.length]?.focus();
}

/** Words that were never sent stay in this browser, for this person only: better to know before one leaves. */
async function leave(me: Session): Promise<void> {
  if (!(await mayLeave(me))) return;
  signOut().then(
    (said) => location.assign(said?.leave ?? address.login()),
    (problem: unknown) => toast(failure(problem), [], "grave"),
  );
}

async function mayLeave(me: Session): Promise<boolean> {
  const { unsent } = await import("./unsent.ts");
  const count = await unsent(me.id);
  if (count === 0) return true;
  const { confirmed } = await import("./confirm.ts");
  return confirmed(t("files.leave.title"), t("files.leave.text", { n: count }), t("files.me.leave"));
}
