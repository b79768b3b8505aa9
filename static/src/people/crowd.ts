/** Everybody in one document as of now, for all parts of the page that show them. */

import type { Awareness } from "y-protocols/awareness";

import { Presence, type Somebody } from "./presence.ts";

/** Milliseconds for which changes are gathered: hundreds of people who move cost one look. */
const GATHER = 100;
/** The same for what we do ourselves, which we know. */
const OURS = 1000;

interface Changed {
  added: number[];
  updated: number[];
  removed: number[];
}

type Listener = () => void;

const crowds = new WeakMap<Awareness, Crowd>();

export class Crowd {
  people: readonly Somebody[];
  private readonly presence: Presence;
  private readonly listeners = new Set<Listener>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = Infinity;
  /** Who we said we are. */
  private me: unknown;

  private constructor(readonly awareness: Awareness) {
    this.presence = new Presence(awareness.clientID);
    this.presence.take(awareness.getStates(), awareness.getStates().keys(), Date.now());
    this.people = this.presence.everybody(Date.now());
    awareness.on("change", ({ added, updated, removed }: Changed) => this.changed([...added, ...updated, ...removed]));
  }

  /** The crowd of this awareness, the same for all who ask. */
  static of(awareness: Awareness): Crowd {
    const crowd = crowds.get(awareness) ?? new Crowd(awareness);
    crowds.set(awareness, crowd);
    return crowd;
  }

  /** Called soon after something has changed; gives the way to stop. */
  watch(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Somebody by id, while they are here. */
  person(id: string): Somebody | undefined {
    return this.people.find((each) => each.id === id);
  }

  private changed(clients: readonly number[]): void {
    this.presence.take(this.awareness.getStates(), clients, Date.now());
    const me = this.awareness.getLocalState()?.["user"];
    const ours = me === this.me && clients.every((client) => client === this.awareness.clientID);
    this.me = me;
    this.lookAt(Date.now() + (ours ? OURS : GATHER));
  }

  private lookAt(time: number): void {
    if (time >= this.due) return;
    clearTimeout(this.timer);
    this.due = time;
    this.timer = setTimeout(() => this.look(), Math.min(time - Date.now(), 2 ** 31 - 1));
  }

  private look(): void {
    this.due = Infinity;
    const now = Date.now();
    this.people = this.presence.everybody(now);
    for (const listener of this.listeners) listener();
    const next = this.presence.next(now);
    if (next < Infinity) this.lookAt(next);
  }
}
