// @vitest-environment happy-dom

import jsQR from "jsqr";
import { afterEach, expect, test, vi } from "vitest";

import { codeOf } from "../src/sharing/code.ts";
import { showSharing } from "../src/sharing/dialog.ts";
import { dayOf, endOf } from "../src/sharing/shares.ts";
import { until } from "./until.ts";

afterEach(() => vi.unstubAllGlobals());

/** The picture's modules as pixels, so many of them a side. */
function pixels(picture: SVGSVGElement, scale: number): { data: Uint8ClampedArray; side: number } {
  const modules = Number(picture.getAttribute("viewBox")?.split(" ")[2]);
  const side = modules * scale;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  const dark = (x: number, y: number): void => {
    for (let pixel = 0; pixel < scale * scale; pixel += 1) {
      const at = 4 * ((y * scale + Math.floor(pixel / scale)) * side + x * scale + (pixel % scale));
      data.fill(0, at, at + 3);
    }
  };
  for (const [, x, y, width] of picture.querySelector("path")?.getAttribute("d")?.matchAll(/M(\d+) (\d+)h(\d+)v1/g) ?? []) {
    for (let step = 0; step < Number(width); step += 1) dark(Number(x) + step, Number(y));
  }
  return { data, side };
}

test.each(["http://127.0.0.1:8000/s/Zm9vYmFyYmF6", `https://docs.example.org/collab/s/${"aZ09-_".repeat(20)}`])("a phone reads the link from its picture", (address) => {
  const { data, side } = pixels(codeOf(address, "a link"), 4);

  expect(jsQR(data, side, side)?.data).toBe(address);
});

test("a last day is the whole of it, where it was chosen", () => {
  const end = new Date(endOf("2027-03-28") ?? "");

  expect([end.getFullYear(), end.getMonth(), end.getDate(), end.getHours(), end.getMinutes()]).toEqual([2027, 2, 28, 23, 59]);
  expect(dayOf(end.toISOString())).toBe("2027-03-28");
});

test.each([
  ["Pacific/Auckland", "2027-09-26", "2027-09-26T10:59:59.000Z"],
  ["America/Los_Angeles", "2027-03-14", "2027-03-15T06:59:59.000Z"],
  ["Europe/Zurich", "2027-12-31", "2027-12-31T22:59:59.000Z"],
])("in %s the end of %s is %s", (zone, day, end) => {
  const before = process.env["TZ"];
  process.env["TZ"] = zone;
  try {
    expect(endOf(day)).toBe(end);
    expect(dayOf(end)).toBe(day);
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
});

test("no day is no end", () => {
  expect(endOf("")).toBeNull();
  expect(dayOf(null)).toBe("");
});

test("what is done with one share comes to the server one after the other, and what was taken back stays away", async () => {
  const asked: { method: string; body: string; answer: (said: object | null) => void }[] = [];
  vi.stubGlobal("fetch", (_path: string, { method = "", body }: RequestInit) => {
    const json = { headers: { "Content-Type": "application/json" } };
    return new Promise<Response>((resolve) => {
      asked.push({ method, body: String(body), answer: (said) => resolve(said === null ? new Response(null, { status: 204 }) : new Response(JSON.stringify(said), json)) });
    });
  });
  const share = (role: string): object => {
    return { id: "s", subject: { kind: "person", id: "bob", name: "Bob" }, role, expires: null, made: null, inherited_from: null, password: false, uses_left: null };
  };
  const allowed = { person: true, group: false, link: false, password: false, expires: false, uses: false, roles: ["viewer", "editor"] };
  const field = (): HTMLSelectElement | null => document.querySelector("[data-share] select.role");
  const choose = (role: string): void => {
    const select = field() as HTMLSelectElement;
    select.value = role;
    select.dispatchEvent(new Event("change"));
  };
  showSharing({ name: "a.md", title: "a.md" });
  asked[0]?.answer({ shares: [share("viewer")], allowed });
  await until(() => expect(field()?.value).toBe("viewer"));
  choose("editor");
  await until(() => expect(asked.length).toBe(2));
  choose("viewer");
  document.querySelector<HTMLElement>("[data-share] button")?.click();
  asked[1]?.answer(share("editor"));
  await until(() => expect(field()?.value).toBe("editor"));
  await until(() => expect(asked.length).toBe(3));
  asked[2]?.answer(share("viewer"));
  await until(() => expect(asked.length).toBe(4));
  asked[3]?.answer(null);
  await until(() => expect(field()).toBe(null));
  expect(asked.slice(1).map(({ method, body }) => [method, body])).toEqual([["PATCH", '{"role":"editor"}'], ["PATCH", '{"role":"viewer"}'], ["DELETE", "undefined"]]);
});
