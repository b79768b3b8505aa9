/** What this page tells the others about the person in front of it. */

import type { Awareness } from "y-protocols/awareness";

import { preferences } from "../settings/preferences.ts";
import type { Person } from "./people.ts";
import { IDLE } from "./presence.ts";

const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchstart"] as const;

export class Self {
  private person: Person | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private activeAt = Date.now();

  constructor(private readonly awareness: Awareness) {
    preferences.watch((now, before) => {
      if (now.color !== before.color) this.sign();
    });
    for (const sign of SIGNS) document.addEventListener(sign, this.active, { capture: true, passive: true });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.active();
    });
    this.wait(IDLE);
  }

  /** Sign our caret; the server puts the name in anyway, and leaves the colour to us. */
  introduce(person: Person): void {
    this.person = person;
    this.sign();
  }

  private sign(): void {
    if (this.person === null) return;
    const { id, name, color } = this.person;
    this.tell({ user: { id, name, color: preferences.get().color || color }, idle: this.idle });
  }

  private get idle(): boolean {
    return this.timer === undefined;
  }

  private readonly active = (): void => {
    this.activeAt = Date.now();
    if (!this.idle) return;
    this.wait(IDLE);
    this.tell({ idle: false });
  };

  private wait(milliseconds: number): void {
    this.timer = setTimeout(() => {
      const left = this.activeAt + IDLE - Date.now();
      if (left > 0) return this.wait(left);
      this.timer = undefined;
      this.tell({ idle: true });
    }, milliseconds);
  }

  private tell(fields: object): void {
    const state = this.awareness.getLocalState();
    if (state !== null) this.awareness.setLocalState({ ...state, ...fields });
  }
}
