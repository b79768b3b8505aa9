/** What people look for under "Settings": everything takes effect at once, on this device. */

import "../styles/settings.css";

import { rename, session, type Session } from "../base/api.ts";
import { button, element } from "../base/dom.ts";
import { icon } from "../base/icons.ts";
import { LANGUAGES, t, type Key } from "../base/messages.ts";
import { colorField } from "./colors.ts";
import { sessionList } from "./sessions.ts";
import { passwordForm } from "./password.ts";
import { suiteList } from "./suites.ts";
import { DEFAULTS, FONT_SIZES, preferences, type Preferences } from "./preferences.ts";

type Choice = readonly [value: string, label: string];

let open: HTMLDialogElement | null = null;

/** Show the settings; the focus comes back to where it was when they are closed. */
export function showSettings(): void {
  if (open !== null) return;
  const title = element("h2", { id: "settings-title" }, t("settings.title"));
  const close = element("button", { type: "button", class: "pic", "aria-label": t("common.close") }, icon("close"));
  const dialog = element("dialog", { class: "settings", "aria-labelledby": "settings-title" }, element("header", {}, title, close), ...sections());
  close.addEventListener("click", () => dialog.close());
  // The veil around the window is the dialog itself.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    open = null;
  });
  document.body.append(dialog);
  open = dialog;
  dialog.showModal();
}

function sections(): HTMLElement[] {
  return [section("settings.you", [person()]), section("settings.look", look()), section("settings.writing", writing()), sessionList(), suiteList(), reset()];
}

function look(): HTMLElement[] {
  const sizes = FONT_SIZES.map((size): Choice => [String(size), t("settings.pixels", { n: size })]);
  const languages: Choice[] = [["auto", t("settings.language.auto")], ...Object.entries(LANGUAGES)];
  return [
    choices("theme", ["system", "light", "dark"]),
    select("fontSize", sizes, Number),
    select("language", languages),
    choices("mode", ["auto", "source", "split", "preview"]),
    toggle("authors"),
  ];
}

function writing(): HTMLElement[] {
  return [toggle("wrap"), toggle("spelling"), choices("lineNumbers", ["auto", "on", "off"]), choices("keys", ["standard", "vim", "emacs"])];
}

function section(title: Key, fields: HTMLElement[]): HTMLElement {
  return element("section", {}, element("h3", {}, t(title)), ...fields);
}

function reset(): HTMLElement {
  const again = button(t("settings.reset"), () => {
    preferences.set(DEFAULTS);
    open?.querySelectorAll("section, .row").forEach((each) => each.remove());
    open?.append(...sections());
  });
  return element("p", { class: "row" }, again);
}

/** A few values, all of them to be seen. */
function choices(key: "theme" | "mode" | "lineNumbers" | "keys", values: readonly string[]): HTMLElement {
  const options = values.map((value) => {
    const input = element("input", { type: "radio", name: key, value, checked: preferences.get()[key] === value });
    input.addEventListener("change", () => preferences.set({ [key]: value }));
    return element("label", {}, input, t(`settings.${key}.${value}` as Key));
  });
  return element("fieldset", {}, element("legend", {}, t(`settings.${key}`)), element("div", { class: "choices" }, ...options));
}

function select(key: "fontSize" | "language", options: readonly Choice[], read: (value: string) => unknown = String): HTMLElement {
  const now = String(preferences.get()[key]);
  const field = element("select", { id: `settings-${key}` }, ...options.map(([value, label]) => element("option", { value, selected: value === now }, label)));
  field.addEventListener("change", () => preferences.set({ [key]: read(field.value) }));
  return element("p", { class: "field" }, element("label", { for: field.id }, t(`settings.${key}`)), field);
}

function toggle(key: "wrap" | "spelling" | "authors"): HTMLElement {
  const input = element("input", { type: "checkbox", role: "switch", checked: preferences.get()[key] });
  input.addEventListener("change", () => preferences.set({ [key]: input.checked } satisfies Partial<Preferences>));
  return element("label", { class: "field" }, t(`settings.${key}`), input);
}

/** Name and colour. The name is the server's: asked for, and changed where that is allowed. */
function person(): HTMLElement {
  const parent = element("div", { class: "person" });
  session().then(
    (me) => parent.replaceChildren(nameField(me), colorField(me.color), ...(me.kind === "account" ? [passwordForm()] : [])),
    () => parent.replaceChildren(element("p", {}, t("settings.signedOut"))),
  );
  return parent;
}

function nameField(me: Session): HTMLElement {
  if (me.renamable !== true) return element("p", {}, t("settings.named", { name: me.name }));
  const field = element("input", { id: "settings-name", name: "name", value: me.name, required: true, maxlength: "60", autocomplete: "name" });
  const said = element("output", { for: field.id });
  const form = element("form", { class: "field" }, element("label", { for: field.id }, t("settings.name")), field, button(t("settings.name.keep"), () => {}), said);
  form.querySelector("button")?.setAttribute("type", "submit");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    rename(field.value.trim()).then(
      ({ name }) => {
        said.textContent = t("settings.name.kept", { name });
        dispatchEvent(new CustomEvent("collab-named"));
      },
      (problem: unknown) => (said.textContent = problem instanceof Error ? problem.message : String(problem)),
    );
  });
  return form;
}
