/** Diagrams as images: drawn from their source in a frame that can reach nothing, shown where no script of theirs runs. */

import { t, type Key } from "../base/messages.ts";
import { Frame, Silent } from "./frame.ts";
import { Recent } from "./recent.ts";
import type { Fault, Picture } from "./talk.ts";

/** A `data:` URL of an SVG image, its natural size in CSS pixels, and the author's words for it, or "". */
export interface Drawing {
  url: string;
  width: number;
  height: number;
  title: string;
}

/** Drawings and refusals that are kept, so that nothing is drawn twice. */
const KEPT = 100;

const drawings = new Recent<Promise<Drawing>>(KEPT);
let frame: Frame | null = null;
let queue: Promise<unknown> = Promise.resolve();

/** The diagram of this source in the colours of the theme; rejects with an Error whose message says in words what is wrong. */
export function drawn(source: string, dark: boolean): Promise<Drawing> {
  const key = `${dark ? "dark" : "light"}\n${source}`;
  const known = drawings.get(key);
  if (known !== undefined) return known;
  const drawing = queue.then(() => draw(source, dark));
  queue = drawing.catch((error: unknown) => {
    if (error instanceof Silent) drawings.delete(key);
  });
  drawings.set(key, drawing);
  return drawing;
}

async function draw(source: string, dark: boolean): Promise<Drawing> {
  if (frame?.gone) frame = null;
  frame ??= new Frame();
  try {
    const reply = await frame.ask({ nonce: nonce(), source, dark });
    if (reply.kind === "picture" && reply.picture) return drawing(reply.picture);
    throw new Error(words((reply.kind === "fault" && reply.fault) || { kind: "other", line: 0, words: "" }));
  } catch (error) {
    if (!(error instanceof Silent)) throw error;
    frame?.close();
    frame = null;
    throw new Silent(t("diagram.silent"));
  }
}

/** Not `randomUUID`, which browsers have only where the connection is secure. */
function nonce(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

function drawing({ svg, width, height, title }: Picture): Drawing {
  return { url: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`, width, height, title };
}

function words({ kind, line, words }: Fault): string {
  const key: Key = kind === "syntax" && line > 0 ? "diagram.line" : `diagram.${kind}`;
  return t(key, { line, words }).trim();
}
