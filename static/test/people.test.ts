import { expect, test } from "vitest";

import { initials, personIn } from "../src/people/people.ts";

const user = (id: string, name: string, color = "#112233"): object => ({ user: { id, name, color } });

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

test("what turns the direction of writing or is not seen is in no name", () => {
  expect(personIn(user("a", "Ann\u202e\n\u0007gnp"))?.name).toBe("Ann   gnp");
});

test("an id and a name of a megabyte are cut", () => {
  const person = personIn(user("i".repeat(1e6), "n".repeat(1e6)));
  expect([person?.id.length, person?.name.length]).toEqual([200, 60]);
});
