/** Where one is signed in: each session with its end, and all at once. */

import { endOtherSignIns, endSignIn, signIns, signOutEverywhere, type SignIn } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { spoken, t } from "../base/messages.ts";
import { address } from "../base/page.ts";

/** The list, for whoever has sessions with a record; empty and without room for others. */
export function sessionList(): HTMLElement {
  const parent = element("section", { class: "sessions", hidden: true });
  draw(parent);
  return parent;
}

/** `focus`: the button that was pressed goes with its session, and the heading takes the keyboard. */
function draw(parent: HTMLElement, focus = false): void {
  signIns().then(
    (sessions) => {
      parent.hidden = sessions.length === 0;
      const said = element("output", {});
      const failed = (problem: unknown): void => void (said.textContent = problem instanceof Error ? problem.message : String(problem));
      const everywhere = button(t("settings.sessions.everywhere"), () => void signOutEverywhere().then(() => location.assign(address.login()), failed));
      const others = button(t("settings.sessions.others"), () => void endOtherSignIns().then(() => draw(parent, true), failed));
      parent.replaceChildren(
        element("h3", { tabindex: "-1" }, t("settings.sessions")),
        element("ul", {}, ...sessions.map((each) => row(each, () => endSignIn(each.id).then(() => draw(parent, true), failed)))),
        element("p", { class: "row" }, ...(sessions.some((each) => !each.current) ? [others] : []), everywhere),
        said,
      );
      if (focus) parent.querySelector("h3")?.focus();
    },
    // Who is not signed in is told so above.
    () => (parent.hidden = true),
  );
}

function row(session: SignIn, end: () => void): HTMLElement {
  const agent = session.agent === "" ? t("settings.sessions.unknown") : session.agent;
  const times = t("settings.sessions.times", { since: when(session.since), seen: when(session.seen) });
  const last = session.current ? element("strong", {}, t("settings.sessions.this")) : button(t("settings.sessions.end"), end);
  if (!session.current) last.setAttribute("aria-label", `${t("settings.sessions.end")}: ${agent}, ${times}`);
  return element("li", {}, element("span", {}, element("bdi", {}, agent), element("small", {}, times)), last);
}

const when = (time: string): string => new Intl.DateTimeFormat(spoken(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
