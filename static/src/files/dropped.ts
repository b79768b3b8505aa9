/** The files in what was dropped or chosen, folders walked to their ends. */

export interface Dropped {
  /** Below the folder where it was dropped, with slashes. */
  readonly path: string;
  readonly file: File;
}

export interface Load {
  readonly files: readonly Dropped[];
  /** Folders below it, each after the one that it is in. */
  readonly folders: readonly string[];
}

/** Call it while the drop is told about: afterwards its content is out of reach. */
export function dropped(transfer: DataTransfer): Promise<Load> {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files].map((file) => ({ path: file.name, file }));
  const known = entries.filter((entry) => entry !== null);
  return known.length === 0 ? Promise.resolve({ files: plain, folders: [] }) : walked(known);
}

/** What a field for files or for a folder holds. */
export function picked(files: Iterable<File>): Load {
  const all = [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return { files: all, folders: parents(all.map(({ path }) => path)) };
}

/** All folders above these paths, the outer ones first. */
export function parents(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => path.split("/").slice(0, -1).map((_, index, parts) => parts.slice(0, index + 1).join("/")));
  return [...new Set(folders)].sort((a, b) => a.split("/").length - b.split("/").length);
}

async function walked(entries: readonly FileSystemEntry[]): Promise<Load> {
  const files: Dropped[] = [];
  const folders: string[] = [];
  for (const entry of entries) {
    const path = entry.fullPath.replace(/^\/+/, "");
    if (entry.isFile) files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    else {
      folders.push(path);
      const below = await walked(await children(entry as FileSystemDirectoryEntry));
      files.push(...below.files);
      folders.push(...below.folders);
    }
  }
  return { files, folders };
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => entry.file(resolve, reject));

/** A reader gives some of a folder's entries at a time, until it gives none. */
async function children(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
