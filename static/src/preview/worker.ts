/** Its own copy of the text, and what it looks like: the page's main thread stays free for keys. */

import { ChangeSet, Text } from "@codemirror/state";

import { Rendering } from "./blocks.ts";
import { difference, type Order, type Patch } from "./letters.ts";

let text = Text.empty;
let version = 0;
let shown: string[] = [];
let rendering: Rendering | null = null;
let dirty = false;
let busy = false;

addEventListener("message", ({ data }: MessageEvent<Order>) => {
  version = data.version;
  if (data.kind === "text") {
    rendering ??= new Rendering(data.mark);
    text = Text.of(data.text.split("\n"));
    shown = [];
  } else text = ChangeSet.fromJSON(data.changes).apply(text);
  dirty = true;
  void work();
});

/** Of the time, the part that a long text may take while somebody types: the rest is for the page and for the battery. */
const SHARE = 0.25;
/** Milliseconds up to which no rest is needed. */
const SHORT = 15;
/** Milliseconds after which the next text is looked at anyway. */
const LONGEST = 400;

/** One text at a time, and the newest next: what came meanwhile is taken in first. */
async function work(): Promise<void> {
  if (busy || rendering === null) return;
  busy = true;
  while (dirty) {
    dirty = false;
    const start = performance.now();
    await render(rendering);
    const took = performance.now() - start;
    await new Promise((resolve) => setTimeout(resolve, took < SHORT ? 0 : Math.min(took / SHARE - took, LONGEST)));
  }
  busy = false;
}

async function render(with_: Rendering): Promise<void> {
  const [now, former] = [version, shown];
  const blocks = await with_.blocks(text.toString());
  // A whole new text was sent while a library was loaded: the page begins anew.
  if (former !== shown) return;
  shown = blocks.map(({ html }) => html);
  const patch: Patch = { version: now, ...difference(former, shown), lines: Int32Array.from(blocks.flatMap(({ first, end }) => [first, end])) };
  postMessage(patch, { transfer: [patch.lines.buffer] });
}
