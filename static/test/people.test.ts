import { expect, test } from "vitest";

import { initials, inkOn, personIn, present } from "../src/people/people.ts";

const user = (id: string, name: string, color = "#112233"): object => ({ user: { id, name, color } });

test("somebody with two pages is listed once, and I come first", () => {
  const states = new Map<number, unknown>([
    [1, user("z", "Zoe")],
    [2, user("a", "Ann")],
    [3, user("m", "Me")],
    [4, user("a", "Ann")],
  ]);
  expect(present(states, 3).map(({ name }) => name)).toEqual(["Me", "Ann", "Zoe"]);
});

test.each([null, undefined, 7, "x", [], {}, { user: null }, { user: [] }, { user: { name: 7 } }, { user: { name: "  " } }])(
  "the state %j names nobody",
  (state) => {
    expect(personIn(state)).toBeNull();
  },
);

test("a colour that is more than a colour is not used", () => {
  expect(personIn(user("a", "Ann", "red; background: url(//x)"))?.color).toMatch(/^#[0-9a-f]{6}$/);
});

test("a long name is cut between characters", () => {
  expect(personIn(user("a", "😀".repeat(100)))?.name).toBe("😀".repeat(60));
});

test.each([
  ["Ann Example", "AE"],
  ["bob", "B"],
  ["Jean Luc von Picard", "JP"],
  ["👩‍👩‍👧 x", "👩‍👩‍👧X"],
])("the initials of %s are %s", (name, letters) => {
  expect(initials(name)).toBe(letters);
});

test("ink can be read on its colour", () => {
  expect([inkOn("#ffffff"), inkOn("#ffd166"), inkOn("#000000"), inkOn("#1f3b78")]).toEqual(["#000000", "#000000", "#ffffff", "#ffffff"]);
});
