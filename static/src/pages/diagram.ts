/** The page that draws: it runs in a frame without an origin, takes orders from the page around it, and answers nobody else. */

import { faultOf } from "../diagram/faults.ts";
import { sketch } from "../diagram/sketch.ts";
import type { Order, Reply } from "../diagram/talk.ts";

/** Milliseconds between two signs of life. */
const PULSE = 1000;

// The frame is made only by pages of the server that sent it.
const tell = (reply: Reply): void => parent.postMessage(reply, location.origin);

async function serve(order: Order): Promise<void> {
  const { nonce, source } = order;
  const pulse = setInterval(() => tell({ kind: "busy", nonce }), PULSE);
  try {
    tell({ kind: "picture", nonce, picture: await sketch(order) });
  } catch (error) {
    tell({ kind: "fault", nonce, fault: faultOf(error, source) });
  } finally {
    clearInterval(pulse);
  }
}

addEventListener("message", ({ source, data }: MessageEvent<Order>) => {
  if (source === parent && parent !== window) void serve(data);
});
tell({ kind: "ready" });
