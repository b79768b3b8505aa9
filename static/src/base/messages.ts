/** What the pages say, in the person's language. English is always here; the others are loaded when they are wanted. */

import en from "../messages/en.ts";

type Plural = { one?: string; many?: string; other: string };
export type Messages = { [K in keyof typeof en]: string | Plural };
export type Key = keyof typeof en;
export type Values = Readonly<Record<string, string | number>>;

const LOADERS: Readonly<Record<string, () => Promise<{ default: Messages }>>> = {
  de: () => import("../messages/de.ts"),
  fr: () => import("../messages/fr.ts"),
};

/** The languages that there are, each in its own words. */
export const LANGUAGES: Readonly<Record<string, string>> = { en: "English", de: "Deutsch", fr: "Français" };

let messages: Messages = en;
let language = "en";
let plurals = new Intl.PluralRules(language);
let numbers = new Intl.NumberFormat(language);

/** The language that is spoken now (BCP 47), for dates and numbers too. */
export const spoken = (): string => language;

/** The first of the wanted languages (BCP 47) that we speak. */
export function chosen(wanted: readonly string[]): string {
  const ours = wanted.map((each) => each.toLowerCase().split("-")[0] ?? "").find((each) => Object.hasOwn(LANGUAGES, each));
  return ours ?? "en";
}

/** Speak this language from now on; when its messages cannot be loaded, English. */
export async function speak(wanted: string): Promise<void> {
  const loaded = await LOADERS[wanted]?.().catch(() => null);
  messages = loaded?.default ?? en;
  language = loaded ? wanted : "en";
  plurals = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(language);
  if (typeof document !== "undefined") document.documentElement.lang = language;
}

/** The message with its `{placeholders}` filled; `n` chooses between its plural forms (CLDR). */
export function t(key: Key, values: Readonly<Values> = {}): string {
  const message: string | Plural = messages[key] ?? en[key];
  const words = typeof message === "string" ? message : form(message, Number(values["n"] ?? 0));
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => shown(values[name]) ?? whole);
}

function form(message: Plural, n: number): string {
  const category = plurals.select(n);
  return (category === "one" || category === "many" ? message[category] : undefined) ?? message.other;
}

function shown(value: string | number | undefined): string | undefined {
  return typeof value === "number" ? numbers.format(value) : value;
}

const ATTRIBUTES = { t: null, tLabel: "aria-label", tTitle: "title", tPlaceholder: "placeholder" } as const;

/** Fill the elements that name their messages: `data-t` the text, `data-t-label`, `data-t-title` and `data-t-placeholder` attributes. */
export function translate(root: ParentNode): void {
  for (const found of root.querySelectorAll<HTMLElement>("[data-t], [data-t-label], [data-t-title], [data-t-placeholder]")) {
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const key = found.dataset[name] as Key | undefined;
      if (key === undefined) continue;
      if (attribute === null) found.textContent = t(key);
      else found.setAttribute(attribute, t(key));
    }
  }
}
