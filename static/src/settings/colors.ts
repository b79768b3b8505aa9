/** One's own colour: a few that are told apart well, or any other. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { preferences } from "./preferences.ts";

/** Colours that black or white is readable on, spread over the circle; the numbers are their names for screen readers. */
const COLORS = ["#b3261e", "#b45309", "#a16207", "#4d7c0f", "#15803d", "#0f766e", "#0369a1", "#1d4ed8", "#6d28d9", "#a21caf", "#be185d", "#57534e"] as const;

/** Buttons for the colours; `given` is the one that the server chose. */
export function colorField(given: string): HTMLElement {
  const all = [...new Set([given, ...COLORS])];
  const options = all.map((color, index) => option(color, index, color === given ? "" : color));
  return element("fieldset", { class: "colors" }, element("legend", {}, t("settings.color")), element("div", { class: "choices" }, ...options));
}

function option(color: string, index: number, value: string): HTMLLabelElement {
  const input = element("input", { type: "radio", name: "color", value, checked: preferences.get().color === value });
  input.addEventListener("change", () => preferences.set({ color: value }));
  input.style.setProperty("--who", color);
  const label = value === "" ? t("settings.color.given") : t("settings.color.one", { n: index });
  input.setAttribute("aria-label", label);
  return element("label", { title: label }, input);
}
