import { expect, test } from "vitest";

import { atRisk, doubted, reportIn, words, type Facts, type Report, type Tally } from "../src/words/words.ts";

const REPORT: Report = {
  version: "1",
  owed: 0,
  file: "saved",
  savedAt: "2026-11-22T14:05:00Z",
  detail: "",
  journal: "",
  durable: true,
  writable: true,
  why: "",
  by: "",
  application: "",
  kept: "",
  path: "notes.md",
  id: null,
  person: "",
};
const FACTS: Facts = { link: "open", edits: 0, unsynced: 0, cutOff: false, refused: false, readOnly: false, passing: "", slow: false, report: REPORT };
const PAGE: Tally = { made: 3, kept: 0, broken: true };
const DEVICE: Tally = { made: 3, kept: 3, broken: false };

const said = (facts: Partial<Facts>, report: Partial<Report> = {}, tally: Tally = { ...PAGE, made: facts.edits ?? 0 }): string => {
  const { state, text } = words({ ...FACTS, report: { ...REPORT, ...report }, ...facts }, tally, (iso) => iso.slice(11, 16));
  return `${state}: ${text}`;
};

test.each<[string, Partial<Facts>, Partial<Report>]>([
  ["connecting: Connecting…", { link: "opening" }, {}],
  ["connecting: Comparing with the server…", { unsynced: 1 }, {}],
  ["local: Only on this page yet", { edits: 2, unsynced: 2 }, {}],
  ["local: Only on this page yet", { edits: 2, unsynced: 2 }, { owed: 1 }],
  ["received: Received, not stored yet", { edits: 2, unsynced: 2 }, { owed: 2 }],
  ["failed: Received, cannot be stored now: disk full", { edits: 2, unsynced: 2 }, { owed: 2, journal: "disk full" }],
  ["stored: Stored", {}, { file: "pending" }],
  ["stored: Stored", { report: null }, {}],
  ["stored: Up to date", { readOnly: true }, { file: "pending" }],
  ["failed: Stored, not in the file: no space", {}, { file: "failed", detail: "no space" }],
  ["in-file: In the file (14:05)", {}, {}],
  ["in-file: In the file", {}, { savedAt: null }],
  ["offline: Offline", { link: "lost" }, {}],
  ["offline: Offline: 1 change only on this page", { link: "lost", edits: 1 }, {}],
  ["offline: Offline: 3 changes only on this page", { edits: 3, unsynced: 3, cutOff: true }, {}],
  ["offline: The server is full, trying again: 3 changes only on this page", { link: "lost", edits: 3, passing: "too-many" }, {}],
  ["refused: The server did not take your last changes", { refused: true, edits: 1, unsynced: 1 }, {}],
  ["refused: Not connected", { link: "ended" }, {}],
  ["refused: Not connected: 2 changes only on this page", { link: "ended", edits: 2, unsynced: 3 }, {}],
])("the state of my words reads %s", (expected, facts, report) => {
  expect(said(facts, report)).toBe(expected);
});

test("words are called kept on this device when they are there, and as many as are there", () => {
  const edits = { edits: 3, unsynced: 3 };
  expect(said({ ...edits, link: "lost" }, {}, DEVICE)).toBe("offline: Offline: 3 changes kept on this device");
  expect(said({ ...edits, link: "ended" }, {}, DEVICE)).toBe("refused: Not connected: 3 changes kept on this device");
  expect(said(edits, {}, DEVICE)).toBe("local: Only on this device yet");
  expect(said({ ...edits, link: "lost" }, {}, { ...DEVICE, kept: 2 })).toBe("offline: Offline: 2 changes kept on this device");
  expect(said({ ...edits, link: "lost" }, {}, { ...DEVICE, kept: 0 })).toBe("offline: Offline: 3 changes only on this page");
  expect(said({ ...edits, link: "lost" }, {}, { ...DEVICE, kept: 2, broken: true })).toBe("offline: Offline: 3 changes only on this page");
  expect(said(edits, {}, { ...DEVICE, kept: 2 })).toBe("local: Only on this page yet");
});

test("nothing is called stored or in the file while one message is unacknowledged", () => {
  for (const edits of [0, 1, 5])
    for (const unsynced of [1, 2, 9])
      for (const owed of [0, 1, 9])
        for (const link of ["opening", "open", "lost", "ended"] as const)
          expect(said({ edits, unsynced, link }, { owed })).not.toMatch(/^(stored|in-file)/);
});

test("a report that was made before my words arrived does not say that they are in the file", () => {
  expect(doubted(REPORT).file).toBe("pending");
  expect(doubted({ ...REPORT, file: "failed" }).file).toBe("failed");
});

test("words are at risk while the server has not acknowledged them", () => {
  expect(atRisk({ ...FACTS, edits: 1, unsynced: 1 })).toBe(true);
  expect(atRisk({ ...FACTS, unsynced: 1 })).toBe(false);
});

test("REDIS-8: what a server acknowledges that may lose it is received until it is in the file, never stored", () => {
  const pending: Report = { ...REPORT, file: "pending", durable: false };
  const none = { made: 0, kept: 0, broken: false };
  expect(words({ ...FACTS, report: pending }, none, String).state).toBe("received");
  expect(words({ ...FACTS, report: { ...pending, durable: true } }, none, String).state).toBe("stored");
  expect(words({ ...FACTS, report: { ...pending, file: "failed", detail: "no space" } }, none, String).text).toBe("Received, cannot be stored now: no space");
  expect(words({ ...FACTS, report: { ...pending, file: "saved" } }, none, String).state).toBe("in-file");
});

test("a report is read from the stateless message", () => {
  const payload =
    'collab:state {"version":"2","owed":3,"file":"failed","saved_at":null,"detail":"d","journal":"j","durable":false,"writable":false,"why":"lost","by":"Eve","application":"Office","kept":"a/b (kept).md","path":"a/b.md","id":"id:x","person":"p"}';
  const expected = { version: "2", owed: 3, file: "failed", savedAt: null, detail: "d", journal: "j", durable: false, writable: false, why: "lost", by: "Eve", application: "Office", kept: "a/b (kept).md", path: "a/b.md", id: "id:x", person: "p" };
  expect(reportIn(payload)).toEqual(expected);
});

test.each(["", "hello", "collab:state", "collab:state nonsense", "collab:state null", "collab:state 7"])("%j is no report", (payload) => {
  expect(reportIn(payload)).toBeNull();
});

test("a report that says nothing of the file does not say that it is saved", () => {
  expect(reportIn("collab:state {}")).toMatchObject({ file: "pending", writable: true, owed: 0 });
});
