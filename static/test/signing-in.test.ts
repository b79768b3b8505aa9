// @vitest-environment happy-dom

import { afterEach, expect, test, vi } from "vitest";

import type { Session } from "../src/base/api.ts";
import { tellSignedIn } from "../src/base/signed-in.ts";
import { SigningIn } from "../src/words/signing-in.ts";
import { until } from "./until.ts";

afterEach(() => vi.unstubAllGlobals());

test("who signs in while it is still being asked who is signed in goes on", async () => {
  const asked: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => asked.push(resolve)));
  const came: Session[] = [];
  const signingIn = new SigningIn((now) => {
    signingIn.end();
    came.push(now);
  });
  signingIn.wait();
  dispatchEvent(new Event("focus"));
  await until(() => expect(asked.length).toBe(1));
  const told = new Promise((resolve) => new BroadcastChannel("collab-signed-in").addEventListener("message", resolve));
  tellSignedIn();
  await told;
  asked[0]?.(new Response("{}", { status: 401 }));
  await until(() => expect(asked.length).toBe(2));
  asked[1]?.(new Response('{"id":"ann"}', { headers: { "Content-Type": "application/json" } }));
  await until(() => expect(came.map(({ id }) => id)).toEqual(["ann"]));
});
