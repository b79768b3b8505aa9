/**
 * What a suite in a frame and the page around it tell each other by postMessage: JSON `{MessageId, SendTime, Values}` (WOPI, "Using PostMessage"),
 * with names that each product has of its own. What a frame says is believed of itself only: names and rights come from our server.
 */

export type Product = "microsoft" | "collabora" | "onlyoffice" | "other";

/** What a suite says, in whatever words. */
export type Said =
  /** It listens to us. */
  | { kind: "listening" }
  /** The document is there. */
  | { kind: "loaded" }
  /** The document did not come; the frame may show why. */
  | { kind: "failed"; detail: string }
  /** Whether there is something that it has not saved. */
  | { kind: "modified"; modified: boolean }
  | { kind: "saved"; success: boolean; detail: string }
  | { kind: "close" }
  | { kind: "share" }
  | { kind: "edit" }
  | { kind: "renamed" }
  /** A copy under another name is wanted; the extension without its dot, "" for the same. */
  | { kind: "copy"; extension: string }
  /** Its token ends, or has ended. */
  | { kind: "expiring" };

export interface Message {
  MessageId: string;
  Values: Readonly<Record<string, unknown>>;
}

type Values = Readonly<Record<string, unknown>>;
type Reader = (values: Values) => Said | null;

/** Characters of a message that is read. */
const LONGEST = 65_536;

const text = (value: unknown): string => (typeof value === "string" ? value.slice(0, 500) : "");

/** Microsoft and OnlyOffice say it once, when the document is there; Collabora says how far it is. */
function loading(values: Values): Said | null {
  switch (values["Status"]) {
    case "Initialized":
    case "Frame_Ready":
      return { kind: "listening" };
    case "Failed":
      return { kind: "failed", detail: "" };
    case "Document_Loaded":
    case undefined:
      return { kind: "loaded" };
    default:
      return null;
  }
}

/** Names that all products have. */
const COMMON = {
  App_LoadingStatus: loading,
  File_Rename: () => ({ kind: "renamed" }),
  UI_Close: () => ({ kind: "close" }),
  UI_Edit: () => ({ kind: "edit" }),
} satisfies Record<string, Reader>;

const MICROSOFT = {
  App_RefreshSessionInfo: () => ({ kind: "expiring" }),
  UI_Sharing: () => ({ kind: "share" }),
} satisfies Record<string, Reader>;

/** sdk.collaboraonline.com, "PostMessage API". */
const COLLABORA = {
  Action_Load_Resp: ({ success, errorMsg }) => (success === false ? { kind: "failed", detail: text(errorMsg) } : null),
  Action_Save_Resp: ({ success, errorMsg }) => ({ kind: "saved", success: success !== false, detail: text(errorMsg) }),
  App_TokenExpired: () => ({ kind: "expiring" }),
  App_TokenExpiring: () => ({ kind: "expiring" }),
  Doc_ModifiedStatus: ({ Modified }) => ({ kind: "modified", modified: Modified === true }),
  UI_SaveAs: ({ format }) => ({ kind: "copy", extension: text(format) }),
  UI_Share: () => ({ kind: "share" }),
} satisfies Record<string, Reader>;

/** api.onlyoffice.com, "PostMessage". */
const ONLYOFFICE = { UI_Sharing: () => ({ kind: "share" }) } satisfies Record<string, Reader>;

const HEARD: Readonly<Record<Product, Readonly<Record<string, Reader>>>> = {
  microsoft: { ...COMMON, ...MICROSOFT },
  collabora: { ...COMMON, ...COLLABORA },
  onlyoffice: { ...COMMON, ...ONLYOFFICE },
  other: { ...COMMON, ...MICROSOFT, ...COLLABORA },
};

/** The product in the server's words. */
export function productOf(name: string): Product {
  return name === "microsoft" || name === "collabora" || name === "onlyoffice" ? name : "other";
}

/** What this data says; null for what means nothing to us. */
export function heard(data: unknown, product: Product): Said | null {
  const message = object(typeof data === "string" ? json(data) : data);
  const id = message?.["MessageId"];
  if (typeof id !== "string" || !Object.hasOwn(HEARD[product], id)) return null;
  return HEARD[product][id]?.(object(message?.["Values"]) ?? {}) ?? null;
}

function json(data: string): unknown {
  if (data.length > LONGEST) return null;
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

function object(value: unknown): Values | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : null;
}

/** What can be said to the suites of a product; null: it has no words for that. */
export interface Speech {
  /** From now on we listen, and it may speak. */
  ready(): Message;
  /** Another token, and its end in milliseconds since the epoch; null: it keeps the one that it was opened with. */
  readonly token: ((token: string, ttl: number) => Message) | null;
  save(): Message | null;
  /** Save a copy under this name, in the same folder. */
  copy(name: string): Message | null;
  /** The keyboard is ours for now (`false`), or the suite's again. */
  focus(yours: boolean): Message | null;
}

const say = (MessageId: string, Values: Values = {}): Message => ({ MessageId, Values });
const silent = (): null => null;
const ready = (): Message => say("Host_PostmessageReady");
const focus = (yours: boolean): Message => say(yours ? "Grab_Focus" : "Blur_Focus");
const refreshed = (token: string, ttl: number): Message =>
  say("Host_RefreshSessionInfo", { Tokens: [{ Name: "AccessToken", Expiry: String(ttl), Value: token }] });

const SPEECH: Readonly<Record<Product, Speech>> = {
  microsoft: { ready, token: refreshed, save: silent, copy: silent, focus },
  collabora: {
    ready,
    token: (token, ttl) => say("Reset_Access_Token", { token, ttl }),
    // Without "Notify" it does not tell how it went.
    save: () => say("Action_Save", { DontTerminateEdit: true, DontSaveIfUnmodified: true, Notify: true }),
    copy: (name) => say("Action_SaveAs", { Filename: name, Notify: true }),
    focus: (yours) => (yours ? say("Grab_Focus") : null),
  },
  onlyoffice: { ready, token: null, save: silent, copy: silent, focus },
  other: { ready, token: (token, ttl) => say("Reset_Access_Token", { token, ttl }), save: silent, copy: silent, focus: silent },
};

export const speech = (product: Product): Speech => SPEECH[product];

/** The message as it is sent; `now` in milliseconds since the epoch. */
export const written = ({ MessageId, Values }: Message, now: number): string => JSON.stringify({ MessageId, SendTime: now, Values });
