import { describe, expect, test } from "vitest";

import { Arrivals, RETURN } from "../src/people/arrivals.ts";
import { sentences } from "../src/people/together.ts";

const people = (...names: string[]): Map<string, string> => new Map(names.map((name) => [name.toLowerCase(), name]));

/** Arrivals that have settled with these people at 3,000 ms. */
function settled(...names: string[]): Arrivals {
  const arrivals = new Arrivals();
  arrivals.look(people(...names), true, 0);
  return arrivals;
}

function heard(arrivals: Arrivals, looks: readonly (readonly [number, readonly string[], boolean?])[]): string[] {
  const said = looks.map(([now, names, connected = true]) => arrivals.look(people(...names), connected, now));
  return said.flatMap((news) => (news === null ? [] : [sentences(news)])).filter((words) => words !== "");
}

describe("of those who come and go", () => {
  test("nobody who was here at one's own opening is announced", () => {
    expect(heard(settled(), [[500, ["Ann", "Bob"]], [2900, ["Ann", "Bob", "Eve"]], [9000, ["Ann", "Bob", "Eve"]]])).toEqual([]);
  });

  test("one who comes later is", () => {
    expect(heard(settled("Ann"), [[5000, ["Ann", "Bob"]], [6000, ["Ann", "Bob"]], [7000, ["Ann", "Bob"]], [9000, ["Ann", "Bob"]]])).toEqual(["Bob came."]);
  });

  test("several who come together are announced together", () => {
    const arrivals = settled();
    expect(heard(arrivals, [[5000, ["Ann"]], [5500, ["Ann", "Bob", "Cy"]], [6000, ["Ann", "Bob", "Cy", "Di"]], [7000, ["Ann", "Bob", "Cy", "Di"]]])).toEqual([
      "Ann and 3 others came.",
    ]);
  });

  test("two are both named", () => {
    expect(heard(settled(), [[5000, ["Ann", "Bob"]], [7000, ["Ann", "Bob"]]])).toEqual(["Ann and Bob came."]);
  });

  test("one who leaves is announced when they do not come back within ten seconds", () => {
    const arrivals = settled("Ann");
    expect(heard(arrivals, [[5000, []], [5000 + RETURN - 1, []]])).toEqual([]);
    expect(heard(arrivals, [[5000 + RETURN, []], [7000 + RETURN, []]])).toEqual(["Ann left."]);
  });

  test("one who is back within ten seconds is announced neither way", () => {
    const arrivals = settled("Ann");
    expect(heard(arrivals, [[5000, []], [5000 + RETURN - 1, ["Ann"]], [60_000, ["Ann"]]])).toEqual([]);
  });

  test("nobody is announced when this page itself was away", () => {
    const arrivals = settled("Ann", "Bob");
    const looks = [[5000, [], false], [60_000, [], false], [60_100, ["Ann"]], [61_000, ["Ann", "Eve"]], [64_000, ["Ann", "Eve"]], [90_000, ["Ann", "Eve"]]] as const;
    expect(heard(arrivals, looks)).toEqual([]);
  });

  test("comings and goings at once are two sentences", () => {
    const arrivals = settled("Ann");
    expect(heard(arrivals, [[5000, []], [5000 + RETURN, ["Bob"]], [7000 + RETURN, ["Bob"]]])).toEqual(["Bob came. Ann left."]);
  });
});

test("it is said when to look again", () => {
  const arrivals = settled("Ann");
  expect(arrivals.next).toBe(3000);
  arrivals.look(people(), true, 5000);
  expect(arrivals.next).toBe(5000 + RETURN);
  arrivals.look(people("Bob"), true, 6000);
  expect(arrivals.next).toBe(8000);
});
