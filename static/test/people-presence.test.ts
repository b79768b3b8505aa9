import { expect, test } from "vitest";

import { IDLE, Presence, QUIET } from "../src/people/presence.ts";

interface Said {
  cursor?: object | null;
  typed?: number;
  idle?: boolean;
}

const state = (id: string, said: Said = {}): object => ({ user: { id, name: id.toUpperCase(), color: "#112233" }, ...said });
const CARET = { anchor: 1, head: 1 };

/** Everybody's states, and the presence that looks at each change. */
class Room {
  readonly states = new Map<number, unknown>();
  readonly presence = new Presence(1);

  say(now: number, client: number, said: object | null): void {
    if (said === null) this.states.delete(client);
    else this.states.set(client, said);
    this.presence.take(this.states, [client], now);
  }

  doing(now: number): Record<string, string> {
    return Object.fromEntries(this.presence.everybody(now).map(({ id, doing }) => [id, doing]));
  }
}

test("somebody with two pages is one, and I come first", () => {
  const room = new Room();
  for (const [client, id] of [[4, "a"], [2, "z"], [3, "a"], [1, "me"]] as const) room.say(0, client, state(id));
  expect(room.presence.everybody(0).map(({ id, mine }) => [id, mine])).toEqual([["me", true], ["a", false], ["z", false]]);
});

test("of two pages the caret of the one that was active last is shown", () => {
  const room = new Room();
  const shown = (now: number): number | undefined => room.presence.everybody(now).find(({ id }) => id === "ann")?.client;
  room.say(0, 2, state("ann", { cursor: CARET }));
  room.say(10, 3, state("ann", { cursor: CARET }));
  expect(shown(10)).toBe(3);
  room.say(20, 2, state("ann", { cursor: { anchor: 2, head: 2 } }));
  expect(shown(20)).toBe(2);
  room.say(30, 2, null);
  expect(shown(30)).toBe(3);
});

test("a page without a caret does not take the caret from another of the same person", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET }));
  room.say(10, 3, state("ann"));
  expect(room.presence.everybody(10)[0]?.client).toBe(2);
});

test("my other page is me, and never somebody else", () => {
  const room = new Room();
  room.say(0, 1, state("me"));
  room.say(0, 2, state("me", { cursor: CARET }));
  expect(room.presence.everybody(0)).toMatchObject([{ id: "me", mine: true, client: 1 }]);
});

test("who types is said to type until three seconds after the last key", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET, typed: 1 }));
  expect(room.doing(0)).toEqual({ ann: "there" });
  room.say(1000, 2, state("ann", { cursor: CARET, typed: 2 }));
  expect(room.doing(1000)).toEqual({ ann: "typing" });
  expect(room.presence.next(1000)).toBe(1000 + QUIET);
  expect(room.doing(1000 + QUIET)).toEqual({ ann: "there" });
});

test("who puts the caret into the text for the first time does not type", () => {
  const room = new Room();
  room.say(0, 2, state("ann"));
  room.say(10, 2, state("ann", { cursor: CARET, typed: 0 }));
  expect(room.doing(10)).toEqual({ ann: "there" });
});

test("a caret that only moves does not type", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET, typed: 1 }));
  room.say(10, 2, state("ann", { cursor: { anchor: 9, head: 9 }, typed: 1 }));
  expect(room.doing(10)).toEqual({ ann: "there" });
});

test("who has no caret reads", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { idle: false }));
  room.say(0, 3, state("bob", { cursor: null, idle: false }));
  expect(room.doing(10 * IDLE)).toEqual({ ann: "reading", bob: "reading" });
});

test("who says to be idle is idle, and is not by the next sign of activity", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET, idle: true }));
  expect(room.doing(1)).toEqual({ ann: "idle" });
  room.say(2, 2, state("ann", { cursor: CARET, idle: false }));
  expect(room.doing(2)).toEqual({ ann: "there" });
});

test("a client that does not say whether it is idle is so after two minutes without a sign", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET }));
  expect(room.presence.next(0)).toBe(IDLE);
  expect(room.doing(IDLE - 1)).toEqual({ ann: "there" });
  expect(room.doing(IDLE)).toEqual({ ann: "idle" });
});

test("who rests on one of two pages is active on the other", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET, idle: true }));
  room.say(0, 3, state("ann", { idle: false }));
  expect(room.doing(0)).toEqual({ ann: "there" });
});

test("two hundred people in one document are told without looking at all pairs", () => {
  const room = new Room();
  for (let client = 2; client < 202; client += 1) room.say(0, client, state(`p${client}`, { cursor: CARET }));
  expect(room.presence.everybody(0)).toHaveLength(200);
});

test("who is in an office suite only is there for as long as the server says, without a caret", () => {
  const room = new Room();
  room.say(0, 9, { user: { id: "eve", name: "Eve", color: "#112233", suite: "Writer" } });
  expect(room.presence.everybody(10 * IDLE)).toMatchObject([{ id: "eve", doing: "suite", suite: "Writer", client: 9 }]);
});

test("who has a page beside the suite is one, at the place of the page, and does not rest while the suite is open", () => {
  const room = new Room();
  room.say(0, 2, state("ann", { cursor: CARET, idle: false }));
  room.say(5, 9, { user: { id: "ann", name: "ANN", color: "#112233", suite: "Writer" } });
  room.say(6, 8, { user: { id: "ann", name: "ANN", color: "#112233", suite: "Calc" } });
  room.say(9, 2, state("ann", { cursor: CARET, idle: true }));
  expect(room.presence.everybody(10 * IDLE)).toMatchObject([{ client: 2, doing: "there", suite: "Calc, Writer" }]);
  room.say(10, 9, null);
  room.say(10, 8, null);
  expect(room.presence.everybody(10 * IDLE)).toMatchObject([{ client: 2, doing: "idle", suite: "" }]);
});
