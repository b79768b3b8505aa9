// @vitest-environment happy-dom

/** What suites and the page say to each other, which suite opens what, and when a token is renewed. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { Problem } from "../src/base/api.ts";
import { heard, productOf, speech, written, type Product } from "../src/office/contract.ts";
import { isOf, SuiteFrame } from "../src/office/frame.ts";
import { labelOf, offers, officeAddress, preferred } from "../src/office/offers.ts";
import { whyOf } from "../src/office/refused.ts";
import { lifeOf, Renewal } from "../src/office/renewal.ts";
import type { Launch, Suite } from "../src/office/rest.ts";

const message = (MessageId: string, Values: object = {}): string => JSON.stringify({ MessageId, SendTime: 1, Values });

describe("what a suite says", () => {
  test.each<[Product, string, object, object | null]>([
    ["microsoft", "App_LoadingStatus", { DocumentLoadedTime: 1 }, { kind: "loaded" }],
    ["microsoft", "UI_Sharing", {}, { kind: "share" }],
    ["microsoft", "File_Rename", { NewName: "b" }, { kind: "renamed" }],
    ["microsoft", "UI_Close", {}, { kind: "close" }],
    ["microsoft", "App_RefreshSessionInfo", { Tokens: ["AccessToken"] }, { kind: "expiring" }],
    ["microsoft", "UI_Share", {}, null],
    ["collabora", "App_LoadingStatus", { Status: "Initialized" }, { kind: "listening" }],
    ["collabora", "App_LoadingStatus", { Status: "Frame_Ready" }, { kind: "listening" }],
    ["collabora", "App_LoadingStatus", { Status: "Document_Loaded" }, { kind: "loaded" }],
    ["collabora", "App_LoadingStatus", { Status: "Failed" }, { kind: "failed", detail: "" }],
    ["collabora", "App_LoadingStatus", { Status: "of a later version" }, null],
    ["collabora", "Action_Load_Resp", { success: false, errorMsg: "no" }, { kind: "failed", detail: "no" }],
    ["collabora", "Action_Load_Resp", { success: true }, null],
    ["collabora", "UI_Share", {}, { kind: "share" }],
    ["collabora", "UI_Sharing", {}, null],
    ["collabora", "UI_SaveAs", { format: "odt" }, { kind: "copy", extension: "odt" }],
    ["collabora", "Doc_ModifiedStatus", { Modified: true }, { kind: "modified", modified: true }],
    ["collabora", "Action_Save_Resp", { success: false, errorMsg: "full" }, { kind: "saved", success: false, detail: "full" }],
    ["collabora", "App_TokenExpiring", { Timeout: 900000 }, { kind: "expiring" }],
    ["onlyoffice", "App_LoadingStatus", {}, { kind: "loaded" }],
    ["onlyoffice", "UI_Sharing", {}, { kind: "share" }],
    ["onlyoffice", "UI_Edit", {}, { kind: "edit" }],
    ["onlyoffice", "Doc_ModifiedStatus", { Modified: true }, null],
    ["other", "UI_Sharing", {}, { kind: "share" }],
    ["other", "UI_Share", {}, { kind: "share" }],
    ["collabora", "constructor", {}, null],
  ])("%s: %s %j", (product, id, values, wanted) => {
    expect(heard(message(id, values), product)).toEqual(wanted);
    expect(heard(JSON.parse(message(id, values)), product)).toEqual(wanted);
  });

  test.each([null, undefined, 7, "", "{", "[]", "null", "{}", '{"MessageId":7}', [], { MessageId: {} }, `{"MessageId":"UI_Close","x":"${"x".repeat(70_000)}"}`])(
    "what is no message means nothing: %#",
    (data) => expect(heard(data, "other")).toBeNull(),
  );

  test("values that are none do no harm", () => {
    expect(heard('{"MessageId":"UI_SaveAs","Values":[]}', "collabora")).toEqual({ kind: "copy", extension: "" });
    expect(heard('{"MessageId":"UI_SaveAs","Values":{"format":{}}}', "collabora")).toEqual({ kind: "copy", extension: "" });
  });

  test("a product that we do not know has the names of all", () => {
    expect(["microsoft", "collabora", "onlyoffice", "another"].map(productOf)).toEqual(["microsoft", "collabora", "onlyoffice", "other"]);
  });
});

describe("what a suite is told", () => {
  test("everything is JSON with the time, in the names of its product", () => {
    expect(JSON.parse(written(speech("collabora").ready(), 5))).toEqual({ MessageId: "Host_PostmessageReady", SendTime: 5, Values: {} });
    expect(speech("collabora").token?.("new", 99)).toEqual({ MessageId: "Reset_Access_Token", Values: { token: "new", ttl: 99 } });
    expect(speech("microsoft").token?.("new", 99)).toEqual({
      MessageId: "Host_RefreshSessionInfo",
      Values: { Tokens: [{ Name: "AccessToken", Expiry: "99", Value: "new" }] },
    });
    expect(speech("onlyoffice").token).toBeNull();
    expect(speech("collabora").save()?.Values).toEqual({ DontTerminateEdit: true, DontSaveIfUnmodified: true, Notify: true });
    expect(speech("microsoft").save()).toBeNull();
    expect(speech("microsoft").focus(false)?.MessageId).toBe("Blur_Focus");
  });
});

const LAUNCH: Launch = { url: "https://suite.example/x", access_token: "t", access_token_ttl: 1 };

describe("the frame of a suite", () => {
  test("only words of the suite's origin and of this frame's window are heard", () => {
    const [own, another] = [{} as Window, {} as Window];
    const from = (origin: string, source: Window | null): boolean => isOf({ origin, source }, "https://suite.example", own);
    expect(from("https://suite.example", own)).toBe(true);
    expect([from("https://other.example", own), from("null", own), from("https://suite.example", another), from("https://suite.example", null)]).toEqual([false, false, false, false]);
    expect(isOf({ origin: "https://suite.example", source: null }, "https://suite.example", null)).toBe(false);
  });

  test("it may use clipboard and full screen, and cannot leave the page by itself", () => {
    const parent = document.createElement("div");
    const frame = new SuiteFrame(parent, "a title", LAUNCH, "collabora", { said: () => undefined, arrived: () => undefined });
    const made = parent.querySelector("iframe");
    expect(made?.getAttribute("allow")).toBe("clipboard-read https://suite.example; clipboard-write https://suite.example; fullscreen https://suite.example");
    expect(made?.getAttribute("sandbox")?.split(" ")).not.toContain("allow-top-navigation");
    expect(made?.title).toBe("a title");
    frame.end();
  });
});

describe("which suite opens a file", () => {
  const writer: Suite = { name: "Writer", product: "collabora", healthy: true, actions: [{ action: "edit", ext: "odt" }, { action: "view", ext: "ODT" }, { action: "edit", ext: "md" }] };
  const away: Suite = { name: "Away", product: "microsoft", healthy: false, actions: [{ action: "edit", ext: "odt" }, { action: "embedview", ext: "odt" }] };
  const viewer: Suite = { name: "Viewer", product: "other", healthy: true, actions: [{ action: "view", ext: "pdf" }] };
  const all = [away, writer, viewer];

  test("each suite and action that takes the type is offered, in the server's order", () => {
    expect(offers("a/B.Odt", false, all).map(labelOf)).toEqual(["Edit in Away", "Edit in Writer", "View in Writer"]);
    expect(offers("x.md", false, all).map(labelOf)).toEqual(["Edit in Writer"]);
    expect(offers("x.docx", false, all)).toEqual([]);
    expect(offers("odt", false, [])).toEqual([]);
  });

  test("who may only read is offered no editing", () => {
    expect(offers("a.odt", true, all).map(labelOf)).toEqual(["View in Writer"]);
  });

  test("the first that answers is preferred, to edit when that is possible", () => {
    expect(preferred(offers("a.odt", false, all))).toEqual({ suite: "Writer", action: "edit", healthy: true });
    expect(preferred(offers("a.pdf", false, all))?.action).toBe("view");
    expect(preferred(offers("a.odt", false, [away]))).toBeNull();
  });

  test("its page has an address that names document, suite and action", () => {
    expect(officeAddress("a b/100%.odt", { suite: "My Suite & Co", action: "edit" })).toBe("/office/a%20b/100%25.odt?suite=My+Suite+%26+Co&action=edit");
  });
});

test("each refusal has its reason, and what we do not know is told in the server's words", () => {
  expect([0, 401, 403, 404, 423, 503, 500, 418].map((status) => whyOf(new Problem(status, "x", "y")))).toEqual([
    "offline",
    "stranger",
    "denied",
    "missing",
    "locked",
    "away",
    "failed",
    "failed",
  ]);
});

const HOUR = 3_600_000;

describe("a token", () => {
  const token = (iat: number, seconds: number): string => `h.${btoa(JSON.stringify({ iat, exp: iat + seconds })).replaceAll("=", "")}.s`;
  const given = (seconds: number): Launch => ({ ...LAUNCH, access_token: token(1_800_000_000, seconds), access_token_ttl: 1_800_000_000_000 + 1000 * seconds });
  let asked: number;
  let answers: (Launch | Error)[];
  let renewed: Launch[];
  let endings: number[];
  let renewal: Renewal;

  const begin = (first: Launch, able = true): void => {
    const ask = (): Promise<Launch> => {
      asked += 1;
      const answer = answers.shift() ?? new Error("offline");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    renewal = new Renewal(first, {
      ask: able ? ask : null,
      renewed: (next) => void renewed.push(next),
      ending: (left) => void endings.push(left),
      final: (error) => (error as Error).message === "refused",
    });
  };

  beforeEach(() => {
    // This device's clock is a day behind.
    vi.useFakeTimers({ now: 1_800_000_000_000 - 24 * HOUR });
    [asked, answers, renewed, endings] = [0, [], [], []];
  });

  afterEach(() => {
    renewal.end();
    vi.useRealTimers();
  });

  test("is renewed twenty minutes before its end whatever the clock says, again and again", async () => {
    begin(given(36_000));
    const [second, third] = [given(36_000), given(36_000)];
    answers = [second, third];
    await vi.advanceTimersByTimeAsync(9.6 * HOUR);
    expect(asked).toBe(0);
    await vi.advanceTimersByTimeAsync(0.1 * HOUR);
    expect(renewed).toEqual([second]);
    await vi.advanceTimersByTimeAsync(9.7 * HOUR);
    expect(renewed).toEqual([second, third]);
    expect(endings).toEqual([]);
  });

  test("that is short is renewed after three quarters of its life", async () => {
    begin(given(400));
    answers = [given(400)];
    await vi.advanceTimersByTimeAsync(280_000);
    expect(asked).toBe(0);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked).toBe(1);
  });

  test("that cannot be read has the life that the server tells", async () => {
    begin({ ...LAUNCH, access_token: "opaque", access_token_ttl: Date.now() + HOUR });
    answers = [given(3600)];
    await vi.advanceTimersByTimeAsync(0.8 * HOUR);
    expect(asked).toBe(1);
    expect([lifeOf("a.b.c"), lifeOf("a.e30.c"), lifeOf("")]).toEqual([null, null, null]);
  });

  test("is asked for again while the server is away, and its end is told only when it has come", async () => {
    begin(given(400));
    await vi.advanceTimersByTimeAsync(395_000);
    expect(asked).toBeGreaterThan(1);
    expect(endings).toEqual([]);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(endings).toEqual([0]);
    const before = asked;
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(asked).toBe(before);
  });

  test("that is refused is told at once, with what is left", async () => {
    begin(given(400));
    answers = [new Error("refused")];
    await vi.advanceTimersByTimeAsync(316_000);
    expect(endings).toHaveLength(1);
    expect(endings[0]).toBeGreaterThan(80_000);
  });

  test("is renewed when the suite asks, but not twice in a moment", async () => {
    begin(given(36_000));
    answers = [given(36_000), given(36_000)];
    await renewal.renew();
    await renewal.renew();
    expect(renewed).toHaveLength(1);
  });

  test("of a suite that takes no other is told before its end", async () => {
    begin(given(36_000), false);
    await vi.advanceTimersByTimeAsync(9.7 * HOUR);
    expect(asked).toBe(0);
    expect(endings).toHaveLength(1);
  });
});
