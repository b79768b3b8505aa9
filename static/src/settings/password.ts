/** Another password for one's own account. */

import { changePassword, Problem } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { sessionList } from "./sessions.ts";

/** Behind a button, as it is seldom wanted. */
export function passwordForm(): HTMLElement {
  const now = field("settings-password", "current-password", {});
  const fresh = field("settings-password-new", "new-password", { minlength: "10" });
  const said = element("output", {});
  const send = button(t("settings.password.change"), () => {});
  send.type = "submit";
  const form = element("form", { class: "password" }, label(now, t("settings.password.now")), now, label(fresh, t("settings.password.new")), fresh, send, said);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    changePassword(now.value, fresh.value).then(
      () => {
        form.reset();
        said.textContent = t("settings.password.changed");
        document.querySelector(".settings .sessions")?.replaceWith(sessionList());
      },
      (problem: unknown) => (said.textContent = told(problem)),
    );
  });
  return element("details", {}, element("summary", {}, t("settings.password")), form);
}

function told(problem: unknown): string {
  if (problem instanceof Problem && problem.status === 403) return t("settings.password.wrong");
  if (problem instanceof Problem && problem.status === 429) return t("login.often");
  return problem instanceof Error ? problem.message : String(problem);
}

function field(id: string, kind: "current-password" | "new-password", more: Record<string, string>): HTMLInputElement {
  return element("input", { id, type: "password", required: true, maxlength: "1024", autocomplete: kind, ...more });
}

function label(of: HTMLInputElement, words: string): HTMLElement {
  return element("label", { for: of.id }, words);
}
