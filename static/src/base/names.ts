/** Document names: a path under the root or an id, byte for byte; percent-encoded once in addresses. */

/** A name as the path of an address, its slashes kept. */
export function encoded(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

/** The name in the path of a document's page, decoded once; null when there is none or its encoding is not UTF-8. */
export function nameIn(pathname: string, base: string, page = "edit"): string | null {
  const start = `${base}/${page}/`;
  if (!pathname.startsWith(start)) return null;
  try {
    return decodeURIComponent(pathname.slice(start.length)) || null;
  } catch {
    return null;
  }
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The folder of a path, "" for the root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The folders from the root down to this one: their names and paths. */
export function trail(folder: string): { name: string; path: string }[] {
  const parts = folder.split("/").filter((part) => part !== "");
  return parts.map((name, index) => ({ name, path: parts.slice(0, index + 1).join("/") }));
}

/** The path of a new document: Markdown when its name has no extension. */
export function newPath(folder: string, typed: string): string {
  const name = typed.trim();
  const full = fileName(name).includes(".") ? name : `${name}.md`;
  return folder === "" ? full : `${folder}/${full}`;
}
