/** Every language says everything, with the same placeholders, and nothing is said that nobody shows. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, expect, test } from "vitest";

import { chosen, LANGUAGES, speak, t, type Key } from "../src/base/messages.ts";
import de from "../src/messages/de.ts";
import en from "../src/messages/en.ts";
import fr from "../src/messages/fr.ts";

type Message = string | Record<string, string>;
const LANGUAGE: Record<string, Record<string, Message>> = { en, de, fr };
const forms = (message: Message): string[] => (typeof message === "string" ? [message] : Object.values(message));
const placeholders = (words: string): string[] => [...new Set([...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ""))].sort();

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("messages"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
const root = join(import.meta.dirname, "..");
const pages = readdirSync(root).filter((name) => name.endsWith(".html"));
const written = [...sources(join(root, "src")), ...pages.map((name) => readFileSync(join(root, name), "utf8"))].join("\n");
/** Keys that are put together: everything before the placeholder. */
const prefixes = [...written.matchAll(/`([a-z]+\.[\w.-]*)\$\{/gi)].map(([, prefix]) => prefix ?? "");

afterEach(() => speak("en"));

test("every language has a list of messages", () => {
  expect(Object.keys(LANGUAGE).sort()).toEqual(Object.keys(LANGUAGES).sort());
});

for (const language of Object.keys(LANGUAGES)) {
  test(`no message is missing in ${language}, and there is none that English does not have`, () => {
    expect(Object.keys(LANGUAGE[language] ?? {}).sort()).toEqual(Object.keys(en).sort());
  });

  test(`every message in ${language} says something, with the placeholders of the English one`, () => {
    for (const [key, message] of Object.entries(LANGUAGE[language] ?? {})) {
      const wanted = new Set(forms((en as Record<string, Message>)[key] ?? "").flatMap(placeholders));
      for (const words of forms(message)) {
        expect(words.trim(), key).not.toBe("");
        for (const name of placeholders(words)) expect(wanted, `${key} in ${language}`).toContain(name);
      }
      // A plural form such as "one" may leave its number out; all others fill every placeholder.
      const filled = new Set(forms(message).flatMap(placeholders));
      expect([...wanted].filter((name) => !filled.has(name)), `${key} in ${language}`).toEqual([]);
    }
  });

  test(`every plural in ${language} has the form for all other numbers`, () => {
    for (const [key, message] of Object.entries(LANGUAGE[language] ?? {})) if (typeof message !== "string") expect(message, key).toHaveProperty("other");
  });
}

test("every message is shown somewhere", () => {
  const unused = Object.keys(en).filter((key) => !written.includes(`"${key}"`) && !prefixes.some((prefix) => key.startsWith(prefix)));
  expect(unused).toEqual([]);
});

test("every message that is asked for is there", () => {
  const asked = [...written.matchAll(/\bt\(\s*"([^"]+)"/g), ...written.matchAll(/data-t(?:-\w+)?="([^"]+)"/g)].map(([, key]) => key ?? "");
  expect(asked.filter((key) => !Object.hasOwn(en, key))).toEqual([]);
});

test("the first language of the person that we speak is taken, whatever its region", () => {
  expect(chosen(["de-CH", "en"])).toBe("de");
  expect(chosen(["pt-BR", "FR-ca"])).toBe("fr");
  expect(chosen(["pt"])).toBe("en");
  expect(chosen([])).toBe("en");
});

test("a language that we do not speak is English", async () => {
  await speak("xx");
  expect(t("common.close")).toBe("Close");
});

test("numbers are shown in the language's way, and choose between the plural forms", async () => {
  const plural = Object.entries(en as Record<string, Message>).find(([, message]) => typeof message !== "string" && "one" in message);
  expect(plural).toBeDefined();
  const [key] = plural as [Key, Message];
  const message = (language: string): Record<string, string> => LANGUAGE[language]?.[key] as Record<string, string>;
  await speak("de");
  expect(t(key, { n: 1 })).toBe((message("de")["one"] ?? message("de")["other"])?.replace("{n}", "1"));
  expect(t(key, { n: 12345 })).toContain("12.345");
  await speak("fr");
  // Nothing is singular in French (CLDR).
  expect(t(key, { n: 0 })).toBe((message("fr")["one"] ?? message("fr")["other"])?.replace("{n}", "0"));
});
