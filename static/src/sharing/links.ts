/** Links for whoever has them: made on some terms, shown once with a picture for a phone. */

import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import type { Allowed, LinkTerms, Role } from "./shares.ts";
import { dayField, endIn, named, roleField } from "./terms.ts";

/** The form in which a link's terms are said. `make` is told them; what it throws is told in the window. */
export function linkForm(allowed: Allowed, make: (terms: LinkTerms) => Promise<void>): HTMLFormElement {
  const roles = allowed.roles.filter((role) => role !== "owner");
  const role = roleField(roles, "viewer", t("sharing.role"));
  const until = dayField(null, t("sharing.until"));
  const password = element("input", { type: "password", autocomplete: "new-password", maxlength: "200" });
  const uses = element("input", { type: "number", min: "1", max: "100000", step: "1", inputmode: "numeric" });
  const more = [
    ...(allowed.expires ? [named(t("sharing.until"), until)] : []),
    ...(allowed.password ? [named(t("sharing.password"), password)] : []),
    ...(allowed.uses ? [named(t("sharing.uses"), uses)] : []),
  ];
  const send = element("button", { type: "submit", class: "primary" }, t("sharing.link.make"));
  const details = element("details", {}, element("summary", {}, t("sharing.link.terms")), element("div", { class: "fields" }, ...more));
  const form = element("form", { class: "make-link" }, element("div", { class: "fields" }, named(t("sharing.link.role"), role), send), more.length > 0 ? details : null);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const expires = endIn(until);
    if (expires === undefined || send.disabled) return;
    send.disabled = true;
    const terms: LinkTerms = { role: role.value as Role, expires, ...(password.value && { password: password.value }), ...(uses.value && { uses: Number(uses.value) }) };
    void make(terms).finally(() => (send.disabled = false));
  });
  return form;
}

/** An address to be given away: to copy, to send, to photograph. */
export function shownLink(address: string, once: boolean): HTMLElement {
  const field = element("input", { class: "address", type: "text", readonly: true, value: address, "aria-label": t("sharing.link.address") });
  field.addEventListener("focus", () => field.select());
  const said = element("span", { class: "away", role: "status" });
  const copy = button(t("sharing.copy"), () => {
    navigator.clipboard.writeText(address).then(
      () => {
        copy.textContent = t("sharing.copied");
        said.textContent = t("sharing.copied");
      },
      () => field.focus(),
    );
  });
  const picture = element("div", { class: "picture", hidden: true });
  const drawn = async (): Promise<void> => {
    if (picture.childElementCount > 0) return;
    const { codeOf } = await import("./code.ts");
    picture.replaceChildren(codeOf(address, t("sharing.code.label")));
  };
  const show = button(t("sharing.code"), () => {
    const open = picture.hidden;
    picture.hidden = !open;
    show.setAttribute("aria-expanded", String(open));
    if (open) void drawn().then(() => picture.scrollIntoView({ block: "nearest" }));
  });
  show.setAttribute("aria-expanded", "false");
  const send = "share" in navigator ? button(t("sharing.send"), () => void navigator.share({ url: address }).catch(() => {})) : null;
  const hint = once ? element("p", { class: "hint" }, t("sharing.link.once")) : null;
  return element("div", { class: "shown-link" }, element("div", { class: "copying" }, icon("link"), field, copy), element("div", { class: "acts" }, show, send), picture, hint, said);
}
