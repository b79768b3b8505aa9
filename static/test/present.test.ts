import { describe, expect, it } from "vitest";

import { hashOf, placeIn } from "../src/present/address.ts";
import { turnOf } from "../src/present/gestures.ts";
import { strokeOf } from "../src/present/keys.ts";
import { nearest, relocated } from "../src/present/place.ts";
import { duration } from "../src/present/speaker.ts";
import { scaleOf, stageFor } from "../src/present/stage.ts";

const KEY = { key: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

describe("the slide one looks at", () => {
  const old = ["a", "b", "c", "d"];

  it("stays when slides before or after it come and go", () => {
    expect(relocated(old, ["x", ...old], 2)).toBe(3);
    expect(relocated(old, ["b", "c", "d"], 2)).toBe(1);
    expect(relocated(old, [...old, "x", "y"], 2)).toBe(2);
    expect(relocated(old, ["x", "a", "b", "c", "y", "d"], 2)).toBe(3);
  });

  it("stays while it is edited", () => {
    expect(relocated(old, ["a", "b", "c!", "d"], 2)).toBe(2);
    expect(relocated(old, ["x", "a", "b", "c!", "d"], 2)).toBe(2 + 1);
  });

  it("gives way to its neighbour when it is taken out", () => {
    expect(relocated(old, ["a", "b", "d"], 2)).toBe(2);
    expect(relocated(old, ["a", "b", "c"], 3)).toBe(2);
    expect(relocated(old, [], 3)).toBe(0);
  });

  it("is the nearest of those that read the same", () => {
    expect(nearest(["x", "y", "x", "y", "x"], "x", 3)).toBe(2);
    expect(nearest(["x"], "y", 0)).toBe(-1);
  });
});

describe("the address", () => {
  it("counts slides from one", () => {
    expect(placeIn(hashOf(2))).toBe(2);
    expect(placeIn("#0")).toBe(0);
    expect(placeIn("#three")).toBeNull();
  });
});

describe("keys", () => {
  it("turn pages, and number and Enter go to one", () => {
    expect(strokeOf({ ...KEY, key: "ArrowRight" }, "")).toEqual({ command: "next" });
    expect(strokeOf({ ...KEY, key: " ", shiftKey: true }, "")).toEqual({ command: "back" });
    expect(strokeOf({ ...KEY, key: "7" }, "")).toEqual({ digit: "7" });
    expect(strokeOf({ ...KEY, key: "Enter" }, "12")).toEqual({ go: 12 });
    expect(strokeOf({ ...KEY, key: "O" }, "")).toEqual({ command: "overview" });
  });

  it("with modifiers are the browser's, but for print", () => {
    expect(strokeOf({ ...KEY, key: "f", ctrlKey: true }, "")).toBeNull();
    expect(strokeOf({ ...KEY, key: "ArrowLeft", altKey: true }, "")).toBeNull();
    expect(strokeOf({ ...KEY, key: "p", metaKey: true }, "")).toEqual({ command: "print" });
  });
});

describe("a finger", () => {
  const start = { x: 300, y: 300, at: 0 };

  it("swipes to the next slide and back", () => {
    expect(turnOf(start, { x: 200, y: 310, at: 200 }, 360)).toBe("next");
    expect(turnOf({ ...start, x: 100 }, { x: 200, y: 310, at: 200 }, 360)).toBe("back");
  });

  it("taps at the left to go back and elsewhere to go on", () => {
    expect(turnOf({ ...start, x: 40 }, { x: 42, y: 301, at: 80 }, 360)).toBe("back");
    expect(turnOf(start, { x: 301, y: 301, at: 80 }, 360)).toBe("next");
  });

  it("scrolls and selects without turning", () => {
    expect(turnOf(start, { x: 310, y: 200, at: 200 }, 360)).toBeNull();
    expect(turnOf(start, { ...start, at: 900 }, 360)).toBeNull();
  });
});

describe("the stage", () => {
  it("is 16 to 9, and upright on an upright screen", () => {
    expect(stageFor({ width: 1440, height: 900 })).toEqual({ width: 1280, height: 720 });
    expect(stageFor({ width: 360, height: 720 })).toEqual({ width: 640, height: 1280 });
  });

  it("is as large as the screen allows", () => {
    expect(scaleOf({ width: 1280, height: 720 }, { width: 2560, height: 1080 })).toBe(1.5);
  });
});

describe("time since the start", () => {
  it("has hours only when they are needed", () => {
    expect([0, 65_000, 3_723_000].map(duration)).toEqual(["0:00", "1:05", "1:02:03"]);
  });
});
