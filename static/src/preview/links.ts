/** Where the links and pictures of a document lead. */

export type Target =
  | { kind: "anchor"; id: string }
  | { kind: "document"; path: string; anchor: string }
  | { kind: "folder"; path: string }
  | { kind: "outside"; url: string }
  | { kind: "mail"; url: string }
  | { kind: "picture"; url: string }
  | { kind: "nowhere" };

const NOWHERE: Target = { kind: "nowhere" };
/** What browsers leave out of addresses, so that "java\nscript:" is the same as without it. */
// eslint-disable-next-line no-control-regex
const IGNORED = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const PICTURE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[a-z0-9+/=]+$/i;

/** Whether this lies in the folder of a document's attachments: read with the document, and no document to be opened. */
export const isAttached = (path: string): boolean => /(?:^|\/)[^/]+\.assets\/[^/]+$/.test(path);

/** Where a link in a document of this folder ("" for the root) leads. */
export function target(href: string, folder: string): Target {
  const clean = href.replace(IGNORED, "").trim();
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(clean)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return outside(clean);
  if (scheme === "mailto" || scheme === "tel") return { kind: "mail", url: clean };
  if (scheme === "data" && PICTURE.test(clean)) return { kind: "picture", url: clean };
  if (scheme !== undefined) return NOWHERE;
  // A browser takes these for another host, with either slash.
  if (/^[/\\]{2}/.test(clean)) return outside(`https:${clean}`);
  if (clean.startsWith("#")) return { kind: "anchor", id: decoded(clean.slice(1)) };
  return local(clean, folder);
}

function outside(url: string): Target {
  return URL.canParse(url) ? { kind: "outside", url: new URL(url).href } : NOWHERE;
}

function local(href: string, folder: string): Target {
  const [, way = "", anchor = ""] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(href) ?? [];
  if (way === "") return NOWHERE;
  const named = decoded(way);
  const parts = resolved(named.startsWith("/") ? "" : folder, named);
  if (parts === null) return NOWHERE;
  const path = parts.join("/");
  if (path === "" || /(?:^|\/)\.{0,2}$/.test(named)) return { kind: "folder", path };
  return { kind: "document", path, anchor: decoded(anchor) };
}

/** The folders down from the root; null above it. */
function resolved(folder: string, way: string): string[] | null {
  const parts = folder.split("/").filter((part) => part !== "");
  for (const part of way.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return null;
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replace(IGNORED, "");
  } catch {
    return text;
  }
}
