/** The hidden frame in which diagrams are drawn: a page of ours without an origin, so that it can reach nothing. */

import { element } from "../base/dom.ts";
import { base } from "../base/page.ts";
import { replyIn, type Order, type Reply } from "./talk.ts";

/** Milliseconds until the frame must be there; a slow line loads 200 kB. */
const LOADING = 60_000;
/** Milliseconds after which a page that has loaded and says nothing is none of ours: an error, or its scripts did not come. */
const LOADED = 5_000;
/** Milliseconds without a sign of life after which a frame hangs. */
const SILENCE = 10_000;
/** Milliseconds that one drawing may take, signs of life or not: its parts are loaded in this time too. */
const LONGEST = 60_000;

/** Seen by nobody, and laid out all the same: texts are measured in the frame. */
const UNSEEN = {
  position: "fixed",
  "inset-inline-start": "-4000px",
  top: "0",
  width: "1200px",
  height: "800px",
  border: "0",
  visibility: "hidden",
};

/** The frame does not answer: this passes, unlike what is wrong with a source. */
export class Silent extends Error {}

export class Frame {
  private readonly element = element("iframe", {
    sandbox: "allow-scripts",
    src: `${base}/diagram`,
    class: "sketching",
    "aria-hidden": "true",
    tabindex: "-1",
  });
  private readonly ready: Promise<void>;
  private hear: (reply: Reply) => void = () => {};

  constructor() {
    for (const [name, value] of Object.entries(UNSEEN)) this.element.style.setProperty(name, value);
    addEventListener("message", this.listen);
    this.ready = new Promise((resolve, reject) => {
      const silent = (): void => reject(new Silent());
      let timer = setTimeout(silent, LOADING);
      this.element.addEventListener("load", () => {
        clearTimeout(timer);
        timer = setTimeout(silent, LOADED);
      });
      this.hear = ({ kind }) => {
        if (kind !== "ready") return;
        clearTimeout(timer);
        resolve();
      };
    });
    document.body.append(this.element);
  }

  /** The reply to an order, one at a time; rejects with `Silent`, after which the frame is of no use. */
  async ask(order: Order): Promise<Reply> {
    await this.ready;
    return new Promise((resolve, reject) => {
      const silent = (): void => reject(new Silent());
      const end = setTimeout(silent, LONGEST);
      let pulse = setTimeout(silent, SILENCE);
      this.hear = (reply) => {
        if (reply.kind === "ready" || reply.nonce !== order.nonce) return;
        clearTimeout(pulse);
        if (reply.kind === "busy") return void (pulse = setTimeout(silent, SILENCE));
        clearTimeout(end);
        resolve(reply);
      };
      // It has no origin that could be named.
      this.element.contentWindow?.postMessage(order, "*");
    });
  }

  /** Whether something took it out of the page. */
  get gone(): boolean {
    return !this.element.isConnected;
  }

  close(): void {
    removeEventListener("message", this.listen);
    this.element.remove();
  }

  private readonly listen = ({ source, data }: MessageEvent): void => {
    const reply = source !== null && source === this.element.contentWindow ? replyIn(data) : null;
    if (reply !== null) this.hear(reply);
  };
}
