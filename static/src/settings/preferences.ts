/** What a person prefers on this device; kept by the browser, the same in all its tabs. */

export interface Preferences {
  theme: "system" | "light" | "dark";
  language: "auto" | "en" | "de" | "fr";
  /** Pixels of the text in editor and preview. */
  fontSize: number;
  wrap: boolean;
  lineNumbers: "auto" | "on" | "off";
  keys: "standard" | "vim" | "emacs";
  spelling: boolean;
  /** The colour of one's caret, `#rrggbb`, or "" for the one that the server gives. */
  color: string;
  /** How a document opens; "auto": the preview for readers and small screens, else side by side. */
  mode: "auto" | "source" | "split" | "preview";
  /** Whether the text shows by colour who wrote what. */
  authors: boolean;
}

export const DEFAULTS: Readonly<Preferences> = {
  theme: "system",
  language: "auto",
  fontSize: 17,
  wrap: true,
  lineNumbers: "auto",
  keys: "standard",
  spelling: true,
  color: "",
  mode: "auto",
  authors: false,
};

export const FONT_SIZES = [14, 15, 17, 19, 22, 26] as const;

const CHOICES: { readonly [K in keyof Preferences]?: readonly unknown[] } = {
  theme: ["system", "light", "dark"],
  language: ["auto", "en", "de", "fr"],
  fontSize: FONT_SIZES,
  wrap: [true, false],
  lineNumbers: ["auto", "on", "off"],
  keys: ["standard", "vim", "emacs"],
  spelling: [true, false],
  mode: ["auto", "source", "split", "preview"],
  authors: [true, false],
};

/** The key in the browser's storage; the page's first script reads the theme from it before anything is drawn. */
export const KEY = "collab-preferences";

type Listener = (now: Readonly<Preferences>, before: Readonly<Preferences>) => void;

/** The preferences in what was stored; whatever makes no sense is as by default. */
export function parsed(stored: string | null): Preferences {
  const said = object(stored);
  const known = Object.entries(DEFAULTS).map(([key, value]) => [key, valid(key as keyof Preferences, said[key]) ? said[key] : value]);
  return Object.fromEntries(known) as Preferences;
}

function object(stored: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(stored ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function valid(key: keyof Preferences, value: unknown): boolean {
  if (key === "color") return value === "" || (typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value));
  return CHOICES[key]?.includes(value) ?? false;
}

class Store {
  private now: Preferences;
  private readonly listeners = new Set<Listener>();

  constructor() {
    this.now = parsed(this.read());
    addEventListener("storage", (event) => {
      if (event.key === KEY) this.replace(parsed(event.newValue));
    });
  }

  get(): Readonly<Preferences> {
    return this.now;
  }

  set(changes: Partial<Preferences>): void {
    this.replace({ ...this.now, ...changes });
    try {
      localStorage.setItem(KEY, JSON.stringify(this.now));
    } catch {
      // In some frames of other sites nothing can be kept: then it holds for this page.
    }
  }

  /** Call it when something is preferred otherwise, here or in another tab; gives the way to stop. */
  watch(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private replace(now: Preferences): void {
    const before = this.now;
    this.now = now;
    for (const listener of this.listeners) listener(now, before);
  }

  private read(): string | null {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }
}

export const preferences = new Store();
