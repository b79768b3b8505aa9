/** Pictures of the same folders; none is ever loaded from elsewhere. */

import { content, contentAddress, lease } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName } from "../base/names.ts";
import { Recent } from "./recent.ts";
import { target, type Target } from "./links.ts";

/** Pictures that were fetched with a token, as addresses of their own. */
const fetched = new Recent<Promise<string>>(200);

const SIZE = /^\d{1,4}%?$/;

/** What stands for an author's picture in a document of this folder. */
export function picture(author: HTMLImageElement, src: string, { folder, attached }: { folder: string; attached?: (name: string) => string | null }): HTMLElement {
  const inside = attachedTo(src, attached);
  const to: Target = inside === null ? target(src, folder) : { kind: "picture", url: inside };
  const alt = author.getAttribute("alt") ?? "";
  if (to.kind === "outside") return elsewhere(to, alt, author.closest("a") !== null);
  if (to.kind !== "document" && to.kind !== "picture") return element("span", { class: "md-missing" }, alt);
  const made = element("img", { alt, loading: "lazy", decoding: "async", ...attributesOf(author) });
  made.addEventListener("error", () => made.replaceWith(missing(alt, to)), { once: true });
  if (to.kind === "picture") made.src = to.url;
  else load(made, to.path);
  return made;
}

/** `attachment:name`, in a document that has such pictures. */
function attachedTo(src: string, attached: ((name: string) => string | null) | undefined): string | null {
  const name = /^attachment:(.+)$/is.exec(src)?.[1];
  if (name === undefined || attached === undefined) return null;
  try {
    return attached(decodeURIComponent(name));
  } catch {
    return attached(name);
  }
}

function attributesOf(author: HTMLImageElement): Record<string, string> {
  const said = ["title", "width", "height"].map((name) => [name, author.getAttribute(name) ?? ""] as const);
  return Object.fromEntries(said.filter(([name, value]) => value !== "" && (name === "title" || SIZE.test(value))));
}

function elsewhere({ url }: { url: string }, alt: string, linked: boolean): HTMLElement {
  const words = element("span", { class: "md-elsewhere" }, ` (${t("preview.elsewhere")})`);
  const name = alt || fileName(new URL(url).pathname) || url;
  // A link in a link is none.
  return element("span", {}, linked ? name : element("a", { href: url, class: "md-outside" }, name), words);
}

function missing(alt: string, to: Target): HTMLElement {
  const name = to.kind === "document" ? to.path : "";
  const why = t(lease === null ? "preview.noPicture" : "preview.barredPicture", { name });
  return element("span", { class: "md-missing" }, alt === "" ? "" : `${alt} `, element("span", {}, `(${why})`));
}

function load(made: HTMLImageElement, path: string): void {
  if (lease === null) {
    made.src = contentAddress(path);
    return;
  }
  const url = fetched.get(path) ?? fetched.set(path, own(path));
  url.then(
    (address) => (made.src = address),
    () => made.dispatchEvent(new Event("error")),
  );
}

/** In a frame of another site pictures are fetched with the page's token, which may be for this document alone. */
async function own(path: string): Promise<string> {
  const bytes = await content(path);
  if (!/\.svgz?$/i.test(path)) return URL.createObjectURL(bytes);
  // As data it has no origin, should somebody open it alone.
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await bytes.text())}`;
}

/** Resolved when all pictures in these elements are there, or cannot be had. */
export async function loaded(root: ParentNode): Promise<void> {
  const all = [...root.querySelectorAll("img")];
  for (const each of all) each.loading = "eager";
  await Promise.all(all.map((each) => (each.src === "" ? null : each.decode().catch(() => null))));
  if (root.querySelector(".katex") !== null) await document.fonts.ready;
}
