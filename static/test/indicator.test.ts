// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Indicator } from "../src/words/indicator.ts";
import type { Facts, Report, Tally } from "../src/words/words.ts";

const REPORT: Report = {
  version: "1",
  owed: 0,
  file: "saved",
  savedAt: null,
  detail: "",
  journal: "",
  durable: true,
  writable: true,
  why: "",
  by: "",
  application: "",
  kept: "",
  path: "notes.md",
  id: "id:a",
  person: "ann",
};
const FACTS: Facts = { link: "open", edits: 0, unsynced: 0, cutOff: false, refused: false, readOnly: false, passing: "", slow: false, report: REPORT };
const TALLY: Tally = { made: 0, kept: 0, broken: false };

let indicator: Indicator;
const show = (facts: Partial<Facts>, tally = TALLY): void => indicator.show({ ...FACTS, ...facts }, tally, null);
const shown = (): string => document.getElementById("words-seen")?.textContent ?? "";
const told = (): string => document.getElementById("words-said")?.textContent ?? "";
const state = (): string | undefined => document.getElementById("words")?.dataset["state"];

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = '<div id="words"><span id="words-said" role="status"></span></div>';
  indicator = new Indicator();
  show({});
  vi.advanceTimersByTime(10_000);
});
afterEach(() => vi.useRealTimers());

test("a connection that comes and goes does not flicker: the worst of a moment is shown", () => {
  expect(shown()).toBe("In the file");
  const seen = new Set<string>();
  for (let moment = 0; moment < 20; moment += 1) {
    show(moment % 2 === 0 ? { link: "lost" } : {});
    vi.advanceTimersByTime(100);
    seen.add(shown());
  }
  expect([...seen]).toEqual(["In the file", "Offline"]);
  show({});
  vi.advanceTimersByTime(600);
  expect(shown()).toBe("In the file");
});

test("the state itself is never late", () => {
  show({ edits: 1, unsynced: 1 });
  expect(state()).toBe("local");
  show({ report: { ...REPORT, file: "pending" } });
  expect(state()).toBe("stored");
});

test("while one types, the words are not called stored in between", () => {
  const seen = new Set<string>();
  show({ edits: 1, unsynced: 1 });
  vi.advanceTimersByTime(300);
  for (let letter = 0; letter < 20; letter += 1) {
    show({ edits: 1, unsynced: 1 });
    vi.advanceTimersByTime(20);
    show({ report: { ...REPORT, file: "pending" } });
    vi.advanceTimersByTime(100);
    seen.add(shown());
  }
  expect([...seen]).toEqual(["Only on this page yet"]);
  vi.advanceTimersByTime(600);
  expect(shown()).toBe("Stored");
});

test("trouble and its end are read aloud once they last, and that all is well only now and then", () => {
  const said: string[] = [];
  const wait = (seconds: number): void => {
    vi.advanceTimersByTime(1000 * seconds);
    if (told() !== said.at(-1)) said.push(told());
  };
  wait(0);
  show({ link: "lost" });
  wait(1);
  show({});
  wait(5);
  show({ link: "lost" });
  wait(5);
  show({ report: { ...REPORT, file: "pending" } });
  wait(5);
  for (let sentence = 0; sentence < 5; sentence += 1) {
    show({ edits: 1, unsynced: 1 });
    wait(2);
    show({ report: { ...REPORT, file: "pending" } });
    wait(2);
    show({});
    wait(2);
  }
  expect(said).toEqual(["State of your words: In the file", "State of your words: Offline", "State of your words: Stored"]);
});
