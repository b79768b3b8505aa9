/** Who was given what, as the server tells it (docs/reference/http-api.md, shares). */

import { call } from "../base/api.ts";

export type Role = "viewer" | "editor" | "owner";
export type Kind = "person" | "group" | "link";

export interface Subject {
  kind: Kind;
  id: string;
  name: string;
  /** What tells those of one name apart. */
  detail?: string;
}

export interface Share {
  id: string;
  subject: Subject;
  /** Null: something that has no name here, as uploading only. */
  role: Role | null;
  /** UTC, RFC 3339; null: it does not end. */
  expires: string | null;
  /** When it was given, likewise; null where nobody tells. */
  made: string | null;
  /** The folder around it whose share counts here, as a path; "" is everything. Null: the share is of just this. */
  inherited_from: string | null;
  /** Of a link: one is asked for. */
  password: boolean;
  /** Of a link: so many times it can be opened by somebody new; null: any number. */
  uses_left: number | null;
  /** Of a link, where it can be told again, and right after it was made. */
  address?: string;
}

/** What can be given here at all, and how. */
export interface Allowed {
  person: boolean;
  group: boolean;
  link: boolean;
  password: boolean;
  expires: boolean;
  uses: boolean;
  roles: Role[];
}

export interface Shares {
  shares: Share[];
  allowed: Allowed;
}

export interface Terms {
  role: Role;
  expires: string | null;
}

export interface LinkTerms extends Terms {
  password?: string;
  uses?: number;
}

/** The shares of a document (its id) or of a folder (its path). */
export class Sharing {
  constructor(private readonly name: string) {}

  all = (): Promise<Shares> => call("GET", this.path);

  give = (to: Pick<Subject, "kind" | "id">, terms: Terms): Promise<Share> => call("POST", this.path, { kind: to.kind, id: to.id, ...terms });

  link = (terms: LinkTerms): Promise<Share> => call("POST", this.path, { kind: "link", ...terms });

  change = (share: Share, change: Partial<Terms>): Promise<Share> => call("PATCH", this.one(share), change);

  take = (share: Share): Promise<void> => call("DELETE", this.one(share));

  private get path(): string {
    return `/api/documents/${encodeURIComponent(this.name)}/shares`;
  }

  private one(share: Share): string {
    return `${this.path}/${encodeURIComponent(share.id)}`;
  }
}

/** Fewer letters find everybody. */
export const LEAST = 2;

/** People and groups that something can be given to. */
export const parties = async (words: string, signal: AbortSignal): Promise<Subject[]> =>
  (await call<{ people: Subject[] }>("GET", `/api/people?query=${encodeURIComponent(words)}`, undefined, {}, signal)).people;

/** The end of this day here, in UTC; null for no day. `day` as date fields give it. */
export function endOf(day: string): string | null {
  const [year, month, date] = day.split("-").map(Number);
  return year === undefined || month === undefined || date === undefined ? null : new Date(year, month - 1, date, 23, 59, 59).toISOString();
}

/** The day here of a moment, as date fields take it. */
export function dayOf(moment: string | null): string {
  if (moment === null) return "";
  const when = new Date(moment);
  const parts = [when.getFullYear(), when.getMonth() + 1, when.getDate()];
  return parts.map((part, index) => String(part).padStart(index === 0 ? 4 : 2, "0")).join("-");
}
