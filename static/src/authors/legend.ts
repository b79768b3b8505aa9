/** Whose the colours are: a line above the text, with the way to hide them. */

import { button, element, part } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { inkOn } from "../people/colors.ts";

interface Entry {
  name: string;
  /** Null: together with others. */
  color: string | null;
}

export class Legend {
  private readonly names = element("ul", { tabindex: "0", "aria-label": t("authors.legend") });
  private readonly line = element("div", { id: "legend", class: "legend", role: "group", "aria-label": t("authors.colors"), hidden: true });

  constructor(hide: () => void) {
    const all = button(t("authors.table"), () => dispatchEvent(new CustomEvent("collab-authors")));
    const close = button("", hide, "pic");
    close.append(icon("close"));
    close.setAttribute("aria-label", t("authors.hide"));
    close.title = t("authors.hide");
    this.line.append(this.names, all, close);
    part("editor").parentElement?.before(this.line);
  }

  /** These are in the text; nobody: the line goes. */
  show(entries: readonly Entry[]): void {
    const shown = entries.map(({ name, color }) => {
      const made = element("li", { class: color === null ? "other" : "" }, element("bdi", {}, name));
      if (color !== null) {
        made.style.setProperty("--who", color);
        made.style.setProperty("--ink", inkOn(color));
      }
      return made;
    });
    this.names.replaceChildren(...shown);
    this.line.hidden = entries.length === 0;
  }
}
