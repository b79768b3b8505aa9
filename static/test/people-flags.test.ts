import { expect, test } from "vitest";

import { arranged, HEIGHT, isRtl, widthOf, type Flag } from "../src/people/flags.ts";

const FRAME = { left: 0, top: 100, right: 400, bottom: 600 };
const flag = (x: number, top: number, more: Partial<Flag> = {}): Flag => ({ x, top, bottom: top + 20, width: 60, rtl: false, ...more });

function boxes(flags: readonly Flag[], frame = FRAME): { left: number; right: number; top: number; bottom: number }[] {
  return arranged(flags, frame).map(({ dx, dy }, index) => {
    const { x, top, width } = flags[index] as Flag;
    return { left: x + dx, right: x + dx + width, top: top + dy, bottom: top + dy + HEIGHT };
  });
}

test("a name stands above its caret, in the direction of writing", () => {
  expect(boxes([flag(50, 300)])).toEqual([{ left: 50, right: 110, top: 300 - HEIGHT, bottom: 300 }]);
  expect(boxes([flag(200, 300, { rtl: true })])[0]).toMatchObject({ left: 140, right: 200 });
});

test.each([
  ["left", flag(3, 300, { rtl: true })],
  ["right", flag(399, 300)],
  ["top", flag(50, 101)],
])("a name at the %s edge is wholly seen", (_edge, at) => {
  const [box] = boxes([at]);
  expect(box?.left).toBeGreaterThanOrEqual(FRAME.left);
  expect(box?.right).toBeLessThanOrEqual(FRAME.right);
  expect(box?.top).toBeGreaterThanOrEqual(FRAME.top);
});

test("several at one place do not hide each other", () => {
  const all = boxes(Array.from({ length: 5 }, () => flag(50, 300)));
  for (const [index, one] of all.entries())
    for (const other of all.slice(index + 1)) expect(one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom).toBe(false);
});

test("a name that stands in the way of another's is passed", () => {
  const [, second] = boxes([flag(50, 300), flag(70, 300)]);
  expect(second?.top).toBe(300 - 2 * HEIGHT);
});

test("hundreds of names at one place are still arranged", () => {
  expect(boxes(Array.from({ length: 300 }, () => flag(50, 300)))).toHaveLength(300);
});

test("wide letters make wide names, and long names have an end", () => {
  expect(widthOf("田中太郎")).toBeGreaterThan(widthOf("Anna"));
  expect(widthOf("x".repeat(60))).toBe(190);
});

test.each([
  ["Hello שלום", false],
  ["  - שלום hello", true],
  ["مرحبا", true],
  ["123 …", false],
])("the direction of %s is told by its first letter", (line, rtl) => {
  expect(isRtl(line)).toBe(rtl);
});
