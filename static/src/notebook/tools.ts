/** The buttons of the notebook: those above all cells, and the few in the chosen one. */

import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { announced, shown } from "../editor/keys.ts";
import { rove, walk } from "../editor/roving.ts";
import { KINDS, TOOLS, type ActName } from "./acts.ts";
import type { CellType } from "./cells.ts";

/** What the buttons need to know. */
export interface State {
  readonly type: CellType | null;
  readonly writing: boolean;
  allows(name: ActName): boolean;
}

const KIND: Readonly<Partial<Record<ActName, CellType>>> = { toCode: "code", toMarkdown: "markdown", toRaw: "raw" };

export class Tools {
  /** In the chosen cell. */
  readonly near = element("span", { class: "nb-acts", role: "group", "aria-label": t("notebook.act.cell") });
  private readonly buttons = new Map<HTMLButtonElement, ActName>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly act: (name: ActName) => void,
    private readonly leave: () => void,
  ) {
    parent.setAttribute("aria-label", t("notebook.tools"));
    const kinds = element("span", { class: "group nb-kinds", role: "group", "aria-label": t("notebook.kinds") }, ...KINDS.map(([name, key]) => this.named(name, key)));
    const groups = TOOLS.map((each) => element("span", { class: "group" }, ...each.map(([name, picture, key]) => this.tool(name, picture, key))));
    parent.replaceChildren(...groups.slice(0, 2), kinds, ...groups.slice(2));
    // The cell keeps the focus, so that a phone's keyboard stays where it is.
    parent.addEventListener("mousedown", (event) => event.preventDefault());
    parent.addEventListener("keydown", (event) => walk(event, parent, [...parent.querySelectorAll("button")], this.leave));
    parent.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement) rove(parent, target);
    });
    rove(parent, parent.querySelector("button") ?? undefined);
    this.near.append(this.tool("write", "pencil"), this.tool("stay", "check"), this.tool("up", "up"), this.tool("down", "down"), this.tool("below", "below"), this.tool("remove", "trash"));
    this.near.addEventListener("mousedown", (event) => event.preventDefault());
  }

  show(state: State, readOnly: boolean): void {
    this.parent.hidden = readOnly;
    this.near.hidden = readOnly || state.type === null;
    for (const [made, name] of this.buttons) {
      tell(made, "aria-disabled", !state.allows(name));
      const kind = KIND[name];
      if (kind !== undefined) tell(made, "aria-pressed", state.type === kind);
      if (made.parentElement !== this.near) continue;
      if (name === "write") made.hidden = state.writing;
      if (name === "stay") made.hidden = !state.writing;
    }
  }

  private tool(name: ActName, picture: Icon, key?: string): HTMLButtonElement {
    const made = this.made(name, "", key);
    made.append(icon(picture));
    return made;
  }

  private named(name: ActName, key: string): HTMLButtonElement {
    const label = element("span", {}, t(`notebook.act.${name as "toCode"}`));
    const made = this.made(name, "", key);
    made.append(label);
    return made;
  }

  private made(name: ActName, label: string, key: string | undefined): HTMLButtonElement {
    const made = button(
      label,
      () => {
        // Said to be disabled, it still takes part in the arrows' round.
        if (made.getAttribute("aria-disabled") !== "true") this.act(name);
      },
      "pic",
    );
    const said = t(`notebook.act.${name as "undo"}`);
    made.dataset["act"] = name;
    made.setAttribute("aria-label", said);
    made.title = key === undefined ? said : `${said} (${shown(key)})`;
    if (key !== undefined) made.setAttribute("aria-keyshortcuts", announced(key));
    this.buttons.set(made, name);
    return made;
  }
}

function tell(made: HTMLElement, attribute: string, value: boolean): void {
  if (made.getAttribute(attribute) !== String(value)) made.setAttribute(attribute, String(value));
}
