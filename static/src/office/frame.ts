/** The frame that a suite runs in: it is opened by a form, so that no address holds the token, and only its own words are heard. */

import { element } from "../base/dom.ts";
import { heard, written, type Message, type Product, type Said } from "./contract.ts";
import type { Launch } from "./rest.ts";

const NAME = "office-suite";
/** What a suite may do: all that an editor needs. To leave our page it needs a press of the person in it. */
const SANDBOX = [
  "allow-scripts",
  "allow-same-origin",
  "allow-forms",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
  "allow-downloads",
  "allow-modals",
  "allow-top-navigation-by-user-activation",
].join(" ");
const FEATURES = ["clipboard-read", "clipboard-write", "fullscreen"];

export interface Ears {
  said(said: Said): void;
  /** The frame has loaded something: the suite, or the browser's own words about why not. */
  arrived(): void;
}

export class SuiteFrame {
  private readonly frame: HTMLIFrameElement;
  private readonly origin: string;
  private opened = false;

  constructor(
    parent: HTMLElement,
    title: string,
    private readonly launch: Launch,
    private readonly product: Product,
    private readonly ears: Ears,
  ) {
    this.origin = new URL(launch.url).origin;
    // Of a frame that a form opens, the source is unknown to the browser: without the origin nothing would be allowed.
    const allow = FEATURES.map((feature) => `${feature} ${this.origin}`).join("; ");
    this.frame = element("iframe", { name: NAME, title, allow, sandbox: SANDBOX });
    this.frame.addEventListener("load", () => this.opened && ears.arrived());
    addEventListener("message", this.listen);
    parent.append(this.frame);
  }

  /** Send the form. */
  open(): void {
    this.opened = true;
    post(this.launch, NAME);
  }

  send(message: Message | null): void {
    if (message !== null) this.frame.contentWindow?.postMessage(written(message, Date.now()), this.origin);
  }

  set shown(shown: boolean) {
    this.frame.classList.toggle("shown", shown);
    // What is not seen is not to be reached by the keyboard.
    this.frame.inert = !shown;
  }

  focus(): void {
    this.frame.focus();
  }

  end(): void {
    removeEventListener("message", this.listen);
    this.frame.remove();
  }

  private readonly listen = (event: MessageEvent): void => {
    if (!isOf(event, this.origin, this.frame.contentWindow)) return;
    const said = heard(event.data, this.product);
    if (said !== null) this.ears.said(said);
  };
}

/** Whether a message is of this window, while that shows this origin: other windows, and whatever else a frame shows, are not the suite. */
export function isOf({ origin, source }: Pick<MessageEvent, "origin" | "source">, wanted: string, window: Window | null): boolean {
  return window !== null && source === window && origin === wanted;
}

/** Post the token to the suite, into the window of this name. */
export function post({ url, access_token, access_token_ttl }: Launch, target: string): void {
  const fields = Object.entries({ access_token, access_token_ttl: String(access_token_ttl) });
  const inputs = fields.map(([name, value]) => element("input", { type: "hidden", name, value }));
  const form = element("form", { method: "post", action: url, target, hidden: true }, ...inputs);
  document.body.append(form);
  form.submit();
  // A token that stays in the page is one too many.
  form.remove();
}
