/** A presentation and its speaker's window: where one is, there the other is too. */

import { base } from "../base/page.ts";

/** A place: the index of the page, and what it shows, because the two may know different versions of the document for a moment. */
export interface Place {
  at: number;
  key: string;
  black: boolean;
}

type Message = ({ kind: "place" } & Place) | { kind: "hello" | "bye" };

export class Remote {
  private readonly channel: BroadcastChannel | null;

  /** `id` is known to the two windows. */
  constructor(
    id: string,
    private readonly on: { moved(place: Place): void; joined(): void; left(): void },
  ) {
    this.channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`collab-present${base} ${id}`);
    this.channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => this.hear(data));
    addEventListener("pagehide", () => this.channel?.postMessage({ kind: "bye" }));
  }

  tell(place: Place): void {
    this.channel?.postMessage({ kind: "place", ...place });
  }

  /** Ask for the place of the other. */
  greet(): void {
    this.channel?.postMessage({ kind: "hello" });
  }

  private hear(message: Message): void {
    if (message.kind === "place") this.on.moved(message);
    else if (message.kind === "hello") this.on.joined();
    else this.on.left();
  }
}

/** A name for a pair of windows. */
export const newId = (): string => crypto.getRandomValues(new Uint32Array(2)).join("-");
