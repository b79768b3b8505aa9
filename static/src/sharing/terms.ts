/** The fields of what is given: a role, and a last day. */

import { element } from "../base/dom.ts";
import { t, type Key } from "../base/messages.ts";
import { dayOf, endOf, type Role } from "./shares.ts";

let number = 0;

const WORDS: Readonly<Record<Role, Key>> = { viewer: "sharing.role.viewer", editor: "sharing.role.editor", owner: "sharing.role.owner" };

export const roleWords = (role: Role): string => t(WORDS[role]);

/** A choice of roles; `label` is read out only. A role that cannot be given here any more stays to be seen. */
export function roleField(roles: readonly Role[], now: Role, label: string): HTMLSelectElement {
  const all = roles.includes(now) ? roles : [...roles, now];
  return element("select", { class: "role", "aria-label": label }, ...all.map((role) => element("option", { value: role, selected: role === now }, roleWords(role))));
}

/** A day, empty for none; none that is over can be chosen. */
export function dayField(now: string | null, label: string): HTMLInputElement {
  return element("input", { class: "until", type: "date", value: dayOf(now), min: dayOf(new Date().toISOString()), "aria-label": label });
}

/** The end that a day field names; undefined when it names none that can be. */
export function endIn(field: HTMLInputElement): string | null | undefined {
  return field.validity.valid ? endOf(field.value) : undefined;
}

/** A field with its name above it. */
export function named(label: string, field: HTMLElement, hint = ""): HTMLElement {
  number += 1;
  field.id ||= `share-field-${number}`;
  field.removeAttribute("aria-label");
  const told = hint === "" ? null : element("small", { id: `${field.id}-hint` }, hint);
  if (told !== null) field.setAttribute("aria-describedby", told.id);
  return element("div", { class: "named" }, element("label", { for: field.id }, label), field, told);
}
