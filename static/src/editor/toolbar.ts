/** The buttons above the text, on a phone below it: one stop of the Tab key, arrows move between them. */

import type { EditorView } from "@codemirror/view";

import { button, element, part } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { COMMANDS, find, GROUPS, perform, TABLE, type Command, type CommandName } from "./commands.ts";
import type { Desk } from "./desk.ts";
import { accept, choose } from "./images.ts";
import { announced, shown } from "./keys.ts";
import { isMarkdown } from "./languages.ts";
import { rove, walk } from "./roving.ts";
import { placeOf } from "./tablekeys.ts";

/** Milliseconds after the caret moved until the buttons show what is on there; while somebody types, after the last key. */
const PAUSE = 120;
const TYPING = 300;

class Toolbar {
  private readonly undo: HTMLButtonElement;
  private readonly redo: HTMLButtonElement;
  private readonly pressed = new Map<HTMLButtonElement, Command>();
  private readonly inTable = element("span", { class: "group", role: "group", "aria-label": t("editor.tools.table"), hidden: true });
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly parent: HTMLElement,
    private readonly desk: Desk,
  ) {
    this.undo = this.tool(t("editor.undo"), "undo", "Mod-z", () => void desk.undo.undo());
    this.redo = this.tool(t("editor.redo"), "redo", "Mod-Shift-z", () => void desk.undo.redo());
    parent.replaceChildren(...this.groups());
    this.listen();
    this.showHistory();
    this.show();
    rove(parent, this.buttons()[0]);
  }

  private groups(): HTMLElement[] {
    const group = (...buttons: HTMLButtonElement[]): HTMLElement => element("span", { class: "group" }, ...buttons);
    const search = this.tool(t("editor.menu.find"), "search", "Mod-f", () => void find(this.desk.view), false);
    if (!isMarkdown(this.desk.path)) return [group(this.undo, this.redo), group(search)];
    const formats = GROUPS.map((names) => group(...names.map((name) => this.command(name))));
    formats[1]?.append(this.image());
    this.inTable.append(...TABLE.map((name) => this.command(name)));
    return [group(this.undo, this.redo), ...formats, this.inTable, group(search)];
  }

  private command(name: CommandName): HTMLButtonElement {
    const command: Command = COMMANDS[name];
    const made = this.tool(t(`editor.command.${name}`), command.icon, command.key, (view) => void perform(view, this.desk.undo, name));
    made.dataset["command"] = name;
    if (command.pressed !== undefined) this.pressed.set(made, command);
    return made;
  }

  private image(): HTMLButtonElement {
    const made = this.tool(t("editor.command.image"), "image", undefined, () => choose(this.desk));
    made.dataset["command"] = "image";
    return made;
  }

  private tool(label: string, picture: Icon, key: string | undefined, act: (view: EditorView) => void, back = true): HTMLButtonElement {
    const made = button(
      "",
      () => {
        // Said to be disabled, it still takes part in the arrows' round.
        if (made.getAttribute("aria-disabled") === "true") return;
        act(this.desk.view);
        if (back) this.desk.view.focus();
      },
      "pic",
    );
    made.append(icon(picture));
    made.setAttribute("aria-label", label);
    made.title = key === undefined ? label : `${label} (${shown(key)})`;
    if (key !== undefined) made.setAttribute("aria-keyshortcuts", announced(key));
    return made;
  }

  private listen(): void {
    const { parent, desk } = this;
    // The text keeps the focus, so that a phone's keyboard stays where it is.
    parent.addEventListener("mousedown", (event) => event.preventDefault());
    parent.addEventListener("keydown", (event) => walk(event, parent, this.buttons(), () => desk.view.focus()));
    parent.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLButtonElement) rove(parent, target);
    });
    for (const name of ["stack-item-added", "stack-item-popped", "stack-cleared"] as const) desk.undo.on(name, () => this.showHistory());
    desk.watch(({ docChanged, selectionSet }) => {
      if (docChanged || selectionSet) this.soon(docChanged ? TYPING : PAUSE);
    });
    desk.watchDocument(() => this.show());
  }

  private soon(pause: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.show(), pause);
  }

  private show(): void {
    const { desk, parent } = this;
    parent.hidden = desk.readOnly;
    if (desk.readOnly) return;
    const { state } = desk.view;
    for (const [made, { pressed }] of this.pressed) tell(made, "aria-pressed", pressed?.(state) ?? false);
    const away = placeOf(state) === null || !isMarkdown(desk.path);
    if (this.inTable.hidden === away) return;
    this.inTable.hidden = away;
    if (away && this.buttons().every((each) => each.tabIndex !== 0)) rove(this.parent, this.buttons()[0]);
  }

  private showHistory(): void {
    tell(this.undo, "aria-disabled", !this.desk.undo.canUndo());
    tell(this.redo, "aria-disabled", !this.desk.undo.canRedo());
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.parent.querySelectorAll<HTMLButtonElement>(".group:not([hidden]) > button")];
  }
}

/** An attribute that is set anew costs style and layout, also when it says the same. */
function tell(made: HTMLElement, attribute: string, value: boolean): void {
  if (made.getAttribute(attribute) !== String(value)) made.setAttribute(attribute, String(value));
}

/** Fill `parent` (role toolbar, hidden until then) with what can be done with this kind of document. */
export function toolbar(parent: HTMLElement, desk: Desk): void {
  new Toolbar(parent, desk);
  // At once: what is pasted first is taken, too.
  if (isMarkdown(desk.path)) accept(desk);
}

/** Move the focus to the button that had it last; says whether there is one. */
export function focusToolbar(): boolean {
  const made = part("tools").querySelector<HTMLElement>('button[tabindex="0"]');
  if (made === null || made.offsetParent === null) return false;
  made.focus();
  return true;
}
