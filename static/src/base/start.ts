/** What every page does first: the person's language and theme. */

import { preferences, type Preferences } from "../settings/preferences.ts";
import { keepPage } from "./drops.ts";
import { chosen, speak, translate } from "./messages.ts";
import { base } from "./page.ts";

/** Apply what is preferred now and whenever it changes; resolved when the page speaks the person's language. */
export async function begin(): Promise<void> {
  keepPage();
  dress(preferences.get());
  preferences.watch((now, before) => {
    dress(now);
    // Words that scripts have written already are in the former language.
    if (now.language !== before.language) location.reload();
  });
  const { language } = preferences.get();
  tell(language);
  await speak(language === "auto" ? chosen([...told(), ...navigator.languages]) : language);
  translate(document);
}

/** Pages that the server writes, those for readers, are in the language that was chosen here. */
function tell(language: string): void {
  const life = language === "auto" ? 0 : 365 * 86_400;
  try {
    document.cookie = `collab_language=${language}; path=${base}/; max-age=${life}; samesite=lax`;
  } catch {
    // In some frames of other sites nothing can be kept.
  }
}

/** The language of the site that shows this page in a frame, as far as it says one: it comes before the browser's. */
const told = (): string[] => new URLSearchParams(location.search).getAll("lang").slice(0, 1);

function dress({ theme, fontSize }: Readonly<Preferences>): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  root.style.setProperty("--text-size", `${fontSize / 16}rem`);
}
