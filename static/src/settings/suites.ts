/** The office suites of this server, and how they are: whoever runs it sees what is wrong where people would look first. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { suites, type Suite } from "../office/rest.ts";

/** A section of the settings; not there until there is a suite to show. */
export function suiteList(): HTMLElement {
  const list = element("ul", { class: "suites" });
  const made = element("section", { hidden: true }, element("h3", {}, t("settings.suites")), list);
  // Asked for each time: how they are changes.
  suites().then(
    (found) => {
      list.replaceChildren(...found.map(row));
      made.hidden = found.length === 0;
    },
    () => undefined,
  );
  return made;
}

function row({ name, healthy, detail }: Suite): HTMLElement {
  const state = element("span", { class: healthy ? "well" : "ill" }, t(healthy ? "settings.suites.well" : "settings.suites.ill"));
  const why = healthy || !detail ? null : element("p", { class: "why" }, detail);
  return element("li", {}, element("bdi", {}, name), state, why);
}
