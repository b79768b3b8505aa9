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

/** One text at a time, and the newest next: what came meanwhile is taken in first. */
async function work(): Promise<void> {
  if (busy || rendering === null) return;
  busy = true;
  while (dirty) {
    dirty = false;
    await render(rendering);
    await new Promise((resolve) => setTimeout(resolve));
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
