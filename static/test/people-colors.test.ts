import { describe, expect, test } from "vitest";

import { distance, inkOn, Palette, readable } from "../src/people/colors.ts";

const PAPERS = ["#fcfcfa", "#ffffff", "#171b19", "#1e2421"];
/** Every colour of a coarse cube. */
const CUBE = ["00", "44", "88", "cc", "ff"].flatMap((red, _index, steps) => steps.flatMap((green) => steps.map((blue) => `#${red}${green}${blue}`)));

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

test("ink can be read on every colour, and every colour as shown is seen on light and dark paper", () => {
  for (const color of CUBE) {
    const shown = readable(color);
    expect(contrast(shown, inkOn(shown)), shown).toBeGreaterThanOrEqual(4.5);
    for (const paper of PAPERS) expect(contrast(shown, paper), `${color} as ${shown} on ${paper}`).toBeGreaterThanOrEqual(3);
  }
});

test("a colour that is seen on both papers is left as it is", () => {
  expect(readable("#6d28d9")).toBe(readable(readable("#6d28d9")));
  expect(readable("#15803d")).toBe("#15803d");
});

describe("a palette", () => {
  test("tells two people with nearly the same colour apart, and the first keeps theirs", () => {
    const palette = new Palette();
    const first = palette.color("ann", "#1d4ed8");
    const second = palette.color("bob", "#1e50d8");
    expect(first).toBe(readable("#1d4ed8"));
    expect(distance(first, second)).toBeGreaterThan(0.06);
  });

  test("tells ten people apart who all chose grey", () => {
    const palette = new Palette();
    const shown = Array.from({ length: 10 }, (_, number) => palette.color(`${number}`, "#777777"));
    const pairs = shown.flatMap((one, index) => shown.slice(index + 1).map((other) => distance(one, other)));
    expect(Math.min(...pairs)).toBeGreaterThan(0.05);
  });

  test("shows a person in one colour while others come and go", () => {
    const palette = new Palette();
    palette.color("ann", "#1d4ed8");
    const shown = palette.color("bob", "#1d4ed8");
    palette.color("eve", "#b3261e");
    palette.keep(new Set(["bob"]));
    expect(palette.color("bob", "#1d4ed8")).toBe(shown);
  });

  test("follows a person to another colour", () => {
    const palette = new Palette();
    palette.color("ann", "#1d4ed8");
    expect(palette.color("ann", "#b3261e")).toBe(readable("#b3261e"));
  });

  test("has a colour for each of a thousand people", () => {
    const palette = new Palette();
    for (let number = 0; number < 1000; number += 1) expect(palette.color(`${number}`, "#ff00ff")).toMatch(/^#[0-9a-f]{6}$/);
  });
});
