/** What the history needs of the page around it, and the address of a version. */

export interface Place {
  /** The id, or the path before the id is known. */
  readonly document: string;
  readonly path: string;
  /** As of now. */
  readonly readOnly: boolean;
  /** Called when the file was written (true), or when somebody types (false), or rights change; gives the way to stop. */
  watch(listener: (saved: boolean) => void): () => void;
  /** Give the keyboard back to the text. */
  focus(): void;
}

const MARK = "#version=";

/** The version that the address names. */
export function addressed(hash: string): number | undefined {
  const found = /^#version=(\d{1,15})$/.exec(hash)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Let the address name this version, or none. */
export function address(number: number | null): void {
  if (number !== null) history.replaceState(null, "", `${MARK}${number}`);
  else if (location.hash.startsWith(MARK)) history.replaceState(null, "", location.pathname + location.search);
}
