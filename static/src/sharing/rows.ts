/** One share in the list: whose it is, what it allows until when, and the ways to change that. */

import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { initials } from "../people/people.ts";
import type { Allowed, Role, Share, Terms } from "./shares.ts";
import { dayField, endIn, roleField, roleWords } from "./terms.ts";

export interface Ways {
  change(share: Share, change: Partial<Terms>): Promise<void>;
  take(share: Share): Promise<void>;
  /** Say something, also to whoever does not see it; `wrong`: something is not as it must be. */
  tell(words: string, wrong?: boolean): void;
}

export function row(share: Share, allowed: Allowed, ways: Ways): HTMLLIElement {
  const name = labelOf(share);
  const made = element("li", { "data-kind": share.subject.kind, "data-share": share.id }, face(share), element("p", {}, element("bdi", { class: "name" }, nameOf(share)), facts(share)));
  if (share.inherited_from !== null) {
    made.append(element("span", { class: "fixed" }, share.role === null ? t("sharing.role.other") : roleWords(share.role)));
    return made;
  }
  made.append(...fields(share, name, allowed, ways), takeBack(share, name, ways));
  return made;
}

export function nameOf({ subject, password }: Share): string {
  if (subject.kind !== "link") return subject.name;
  return subject.name || t(password ? "sharing.link.locked" : "sharing.link.anybody");
}

/** What tells links apart, which are all called the same. */
function when({ subject, made }: Share): string {
  if (subject.kind !== "link" || made === null) return "";
  return t("sharing.link.on", { when: new Date(made).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }) });
}

/** Its name for who hears it alone. */
const labelOf = (share: Share): string => [nameOf(share), when(share)].filter((each) => each !== "").join(", ");

function face({ subject }: Share): HTMLElement {
  if (subject.kind === "link") return element("span", { class: "face", "aria-hidden": "true" }, icon("link"));
  if (subject.kind === "group") return element("span", { class: "face", "aria-hidden": "true" }, icon("people"));
  return element("span", { class: "face", "aria-hidden": "true" }, initials(subject.name));
}

/** What is neither a name nor a choice. */
function facts(share: Share): HTMLElement | null {
  const { inherited_from: from, subject, uses_left: left, expires } = share;
  const words = [
    subject.kind === "group" ? t("sharing.group") : (subject.detail ?? ""),
    when(share),
    from === null ? "" : from === "" ? t("sharing.from.all") : t("sharing.from", { folder: from }),
    from !== null && expires !== null ? t("sharing.until.day", { day: new Date(expires).toLocaleDateString(document.documentElement.lang) }) : "",
    left === null ? "" : t("sharing.uses.left", { n: left }),
  ].filter((each) => each !== "");
  return words.length === 0 ? null : element("bdi", { class: "facts" }, words.join(" · "));
}

function fields(share: Share, name: string, allowed: Allowed, ways: Ways): HTMLElement[] {
  const made: HTMLElement[] = [];
  if (share.role === null) made.push(element("span", { class: "fixed" }, t("sharing.role.other")));
  else {
    const roles = allowed.roles.filter((role) => share.subject.kind !== "link" || role !== "owner");
    const role = roleField(roles, share.role, t("sharing.role.of", { name }));
    role.addEventListener("change", () => void ways.change(share, { role: role.value as Role }));
    made.push(role);
  }
  if (allowed.expires) {
    const day = dayField(share.expires, t("sharing.until.of", { name }));
    // A date that is typed is another one with each figure.
    day.addEventListener("change", () => {
      const expires = endIn(day);
      if (document.activeElement !== day && expires !== undefined) void ways.change(share, { expires });
    });
    day.addEventListener("blur", () => {
      const expires = endIn(day);
      // In the browser's own words, as for a form that is sent.
      if (expires === undefined) ways.tell(`${t("sharing.until.of", { name })}: ${day.validationMessage}`, true);
      if (expires !== undefined && day.value !== day.defaultValue) void ways.change(share, { expires });
    });
    made.push(element("label", { class: "end" }, element("span", { "aria-hidden": "true" }, t("sharing.until")), day));
  }
  return made;
}

/** A link that was taken back never opens again: that is asked twice. */
function takeBack(share: Share, name: string, ways: Ways): HTMLButtonElement {
  const made = button("", () => {
    if (share.subject.kind === "link" && !made.classList.contains("sure")) {
      made.classList.add("sure");
      made.replaceChildren(t("sharing.take.sure"));
      made.setAttribute("aria-label", `${t("sharing.take.sure")}: ${name}`);
      ways.tell(`${t("sharing.take.sure")}?`);
      return;
    }
    void ways.take(share);
  }, "pic");
  made.append(icon("trash"));
  made.title = t("sharing.take");
  const calm = (): void => made.setAttribute("aria-label", t("sharing.take.from", { name }));
  calm();
  made.addEventListener("blur", () => {
    calm();
    made.classList.remove("sure");
    made.replaceChildren(icon("trash"));
  });
  return made;
}
