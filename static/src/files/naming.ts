/** Names as people choose them: what a name lacks, what no name can be, and which one is still free. */

/** Ends such as ".md" and ".tar", but not the ".0" of "Version 2.0". */
const EXTENSION = /\.(?=[\p{L}\p{N}]*\p{L})[\p{L}\p{N}_+-]{1,12}$/u;
const COUNTED = / (\d{1,6})$/;
/** Bytes of UTF-8, as most file systems have it. */
const LONGEST = 255;

export type Fault = "empty" | "slash" | "hidden" | "long";

/** The extension with its dot, "" when there is none. */
export function extension(name: string): string {
  const found = EXTENSION.exec(name);
  return found === null || found.index === 0 ? "" : found[0];
}

/** The name without its extension. */
export function stem(name: string): string {
  return name.slice(0, name.length - extension(name).length);
}

/** The typed name with this extension when it has none. */
export function complete(typed: string, wanted: string): string {
  const name = typed.trim();
  return name === "" || extension(name) !== "" ? name : name + wanted;
}

/** The typed name where another extension than before is wanted: what the person changed stays. */
export function retyped(typed: string, before: string, wanted: string): string {
  return extension(typed) === before ? stem(typed) + wanted : typed;
}

/** What is wrong with a new name, null when it can be one. */
export function fault(name: string): Fault | null {
  if (name.trim() === "" || name === "." || name === "..") return "empty";
  if (name.includes("/") || name.includes("\0")) return "slash";
  if (name.startsWith(".")) return "hidden";
  return new TextEncoder().encode(name).length > LONGEST ? "long" : null;
}

/** The name itself when it is free, else the next one: "notes 2.md", "notes 3.md". */
export function free(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  const end = extension(name);
  const counted = COUNTED.exec(stem(name));
  const start = counted === null ? stem(name) : stem(name).slice(0, counted.index);
  let number = counted === null ? 2 : Number(counted[1]) + 1;
  while (taken(`${start} ${number}${end}`)) number += 1;
  return `${start} ${number}${end}`;
}

/** The path of a name in a folder. */
export function inside(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Whether the path is the folder's or something below it. */
export function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
