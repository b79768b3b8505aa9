import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../src");
/** Every way from text to elements. */
const PARSERS = ["DOMParser", "createContextualFragment", "setHTMLUnsafe", "setHTML", "createHTML"];
const NAMES = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", ...PARSERS];
const WAYS = new RegExp(`\\b(?:${NAMES.join("|")})\\b|document\\s*\\.\\s*write|document\\[`);

/** The page for readers is made by the server, which sanitises it; its script puts in what the same server made of a change. */
const READER = join("reading", "reader.ts");

const sources = (): string[] =>
  readdirSync(ROOT, { recursive: true, encoding: "utf-8" }).filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith("sanitise.ts"));

test("no module but the sanitiser makes elements of text, and the readers' of what the server sanitised", () => {
  expect(sources().length).toBeGreaterThan(20);
  expect(sources().filter((name) => WAYS.test(readFileSync(join(ROOT, name), "utf-8")))).toEqual([READER]);
});

test("no other module of the pages uses the sanitiser's library; that of diagrams has a page without an origin for itself", () => {
  expect(sources().filter((name) => readFileSync(join(ROOT, name), "utf-8").includes("dompurify"))).toEqual([join("diagram", "sketch.ts")]);
});
