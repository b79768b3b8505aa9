/** What the page and the frame that draws say to each other. The frame has no origin: nothing of it is believed unseen. */

export interface Order {
  /** Answers carry it: nobody else knows it. */
  nonce: string;
  source: string;
  dark: boolean;
}

/** An SVG document with its natural size in CSS pixels; the title is the author's, or "". */
export interface Picture {
  svg: string;
  width: number;
  height: number;
  title: string;
}

/** Why there is no picture. `line` counts the lines of the source from 1, 0: unknown; `words` are those of the drawing program. */
export interface Fault {
  kind: "syntax" | "kind" | "empty" | "large" | "other";
  line: number;
  words: string;
}

export type Reply = { kind: "ready" } | { kind: "busy" | "fault" | "picture"; nonce: string; fault?: Fault; picture?: Picture };

const FAULTS: readonly string[] = ["syntax", "kind", "empty", "large", "other"];

/** The reply in a message of the frame; null for anything else. */
export function replyIn(data: unknown): Reply | null {
  const said = record(data);
  if (said["kind"] === "ready") return { kind: "ready" };
  const { kind, nonce } = said;
  if (typeof nonce !== "string") return null;
  if (kind === "busy") return { kind, nonce };
  if (kind === "fault") return { kind, nonce, fault: faultIn(said["fault"]) };
  const picture = pictureIn(said["picture"]);
  return kind === "picture" && picture !== null ? { kind, nonce, picture } : null;
}

function faultIn(data: unknown): Fault {
  const { kind, line, words } = record(data);
  return {
    kind: FAULTS.includes(String(kind)) ? (kind as Fault["kind"]) : "other",
    line: typeof line === "number" && Number.isSafeInteger(line) && line > 0 ? line : 0,
    words: typeof words === "string" ? words : "",
  };
}

function pictureIn(data: unknown): Picture | null {
  const { svg, width, height, title } = record(data);
  if (typeof svg !== "string" || typeof title !== "string" || !isSize(width) || !isSize(height)) return null;
  return { svg, width, height, title };
}

const isSize = (value: unknown): value is number => typeof value === "number" && value > 0 && Number.isFinite(value);

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});
