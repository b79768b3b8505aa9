import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Lease } from "../src/base/lease.ts";

const MINUTE = 60_000;
const BEGIN = 1_800_000_000;

/** A token as the server makes it, for so many seconds from a time by its clock. */
function token(iat: number, seconds = 600, until = BEGIN + 3600): string {
  const body = btoa(JSON.stringify({ iat, exp: iat + seconds, until, name: "~~~???" }));
  return `head.${body.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.signature`;
}

let answers: (() => Promise<string>)[];
let asked: number;
let lease: Lease;

const open = (first: string): void => {
  lease = new Lease(
    first,
    () => {
      asked += 1;
      return (answers.shift() ?? (() => Promise.reject(new Error("offline"))))();
    },
    (error) => (error as Error).message === "refused",
  );
};
const given = (next: string) => (): Promise<string> => Promise.resolve(next);
const failed = (why: string) => (): Promise<string> => Promise.reject(new Error(why));

beforeEach(() => {
  // The person's clock is a day behind the server's.
  vi.useFakeTimers({ now: 1000 * BEGIN - 1440 * MINUTE });
  [answers, asked] = [[], 0];
});

afterEach(() => {
  lease.end();
  vi.useRealTimers();
});

test("a token is renewed three minutes before its end, by the server's clock, again and again", async () => {
  open(token(BEGIN));
  const [second, third] = [token(BEGIN + 420), token(BEGIN + 840)];
  answers = [given(second), given(third)];
  await vi.advanceTimersByTimeAsync(6.9 * MINUTE);
  expect(asked).toBe(0);
  await vi.advanceTimersByTimeAsync(0.2 * MINUTE);
  expect(lease.token()).toBe(second);
  await vi.advanceTimersByTimeAsync(7.2 * MINUTE);
  expect(lease.token()).toBe(third);
  expect(asked).toBe(2);
});

test("without an answer it is asked for again, with the old token at hand", async () => {
  const [first, second] = [token(BEGIN), token(BEGIN + 450)];
  open(first);
  answers = [failed("offline"), given(second)];
  await vi.advanceTimersByTimeAsync(7 * MINUTE);
  expect([asked, lease.token()]).toEqual([1, first]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect([asked, lease.token()]).toEqual([2, second]);
});

test("a question that gets no answer keeps no other from being asked, and a late answer takes nothing away", async () => {
  open(token(BEGIN));
  let late: (token: string) => void = () => undefined;
  const second = token(BEGIN + 435);
  answers = [() => new Promise((resolve) => (late = resolve)), given(second)];
  await vi.advanceTimersByTimeAsync(7.5 * MINUTE);
  late(token(BEGIN + 420));
  await vi.advanceTimersByTimeAsync(1);
  expect([asked, lease.token()]).toEqual([2, second]);
});

test("what the server refuses is not asked for again", async () => {
  open(token(BEGIN));
  answers = [failed("refused")];
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(asked).toBe(1);
});

test("the last token, which ends with the first one, is not renewed", async () => {
  open(token(BEGIN, 600, BEGIN + 700));
  const last = token(BEGIN + 420, 280, BEGIN + 700);
  answers = [given(last)];
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect([asked, lease.token()]).toEqual([1, last]);
});
