/** Diagrams: an image with the source behind it. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { preferences } from "../settings/preferences.ts";
import { reach } from "./reach.ts";

/** Milliseconds that a source must rest before it is drawn, so that not every key draws. */
const PAUSE = 350;

const DARK = matchMedia("(prefers-color-scheme: dark)");

export function isDark(): boolean {
  const { theme } = preferences.get();
  return theme === "dark" || (theme === "system" && DARK.matches);
}

/** What is shown of a diagram, before and after it is drawn. */
export function figure(source: string): HTMLElement {
  const code = element("pre", {}, element("code", {}, source));
  const behind = element("details", {}, element("summary", {}, t("preview.showSource")), code);
  return element("figure", { class: "md-diagram", "aria-busy": "true" }, element("div", { class: "md-image" }), behind);
}

/** Draw the diagram into its figure; `source` may be old when somebody types, and is then not drawn. */
export async function draw(place: HTMLElement, source: string, hurry: boolean): Promise<void> {
  if (!hurry) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  const image = place.querySelector<HTMLElement>(".md-image");
  if (image === null || (!hurry && !place.isConnected)) return;
  try {
    const { drawn } = await import("../diagram/diagrams.ts");
    const { url, width, height, title } = await drawn(source, isDark());
    const size = { width: String(Math.round(width)), height: String(Math.round(height)) };
    const made = element("img", { alt: title || t("preview.diagram", { source }), ...size });
    made.src = url;
    await made.decode().catch(() => null);
    image.replaceChildren(made);
    reach(image, made.alt);
    place.classList.remove("md-wrong");
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    image.replaceChildren(element("p", { class: "md-fault", role: "note" }, t("preview.diagramWrong", { error: said })));
    place.classList.add("md-wrong");
    place.querySelector("details")?.setAttribute("open", "");
  }
  place.removeAttribute("aria-busy");
}

/** Call it when light becomes dark or dark light; gives the way to stop. */
export function watchDark(listener: () => void): () => void {
  let was = isDark();
  const look = (): void => {
    if (was === isDark()) return;
    was = !was;
    listener();
  };
  DARK.addEventListener("change", look);
  const stop = preferences.watch(look);
  return () => {
    DARK.removeEventListener("change", look);
    stop();
  };
}
