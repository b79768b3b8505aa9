import { afterEach, expect, test } from "vitest";

import { speak } from "../src/base/messages.ts";
import { announced, shown } from "../src/editor/keys.ts";

afterEach(() => speak("en"));

test("keys are called as the platform calls them", () => {
  expect(shown("Mod-Shift-7", false)).toBe("Ctrl+Shift+7");
  expect(shown("Mod-Shift-7", true)).toBe("⌘⇧7");
  expect(shown("Mod-Alt-k", true)).toBe("⌘⌥K");
  expect(shown("F6", false)).toBe("F6");
});

test("keys are called as the person's language calls them", async () => {
  await speak("de");
  expect(shown("Mod-Shift-7", false)).toBe("Strg+Umschalt+7");
  await speak("fr");
  expect(shown("Shift-Enter", false)).toBe("Maj+Entrée");
});

test("to screen readers keys are told in the words of the standard", () => {
  expect(announced("Mod-Alt-1", false)).toBe("Control+Alt+1");
  expect(announced("Mod-b", true)).toBe("Meta+b");
});
