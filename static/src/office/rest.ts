/** The requests about office suites. */

import { call, type Item } from "../base/api.ts";

/** What a suite can do with files of an extension (without its dot): WOPI's names of actions, "edit" and "view" above all. */
export interface Action {
  readonly action: string;
  readonly ext: string;
}

export interface Suite {
  readonly name: string;
  readonly product: string;
  readonly healthy: boolean;
  /** What is wrong with it, for who runs the server. */
  readonly detail?: string;
  readonly actions: readonly Action[];
}

/** Where a suite is, and with what it is opened; `access_token_ttl`: when the token ends, in milliseconds since the epoch. */
export interface Launch {
  readonly url: string;
  readonly access_token: string;
  readonly access_token_ttl: number;
}

/** What a suite sent and the document could not take: it is in `copy`, beside the file. Paths are empty, names too, when they are no more. */
export interface Rejected {
  readonly document: string;
  readonly path: string;
  readonly copy: string;
  /** RFC 3339. */
  readonly at: string;
  /** Why, in the server's words. */
  readonly reason: string;
  readonly by: string;
  readonly suite: string;
  /** So many came within an hour; the copy holds the last. */
  readonly count: number;
}

export interface OfficeTemplate {
  readonly name: string;
  readonly title: string;
  readonly type: string;
}

const document = (id: string): string => `/api/documents/${encodeURIComponent(id)}/office`;

export const suites = async (): Promise<readonly Suite[]> => (await call<{ suites: Suite[] }>("GET", "/api/office")).suites;

/** A token for this person, file and suite; the same again renews it. */
export const launch = (id: string, suite: string, action: string, lang: string): Promise<Launch> => call("POST", document(id), { suite, action, lang });

export const templates = (): Promise<readonly OfficeTemplate[]> => call("GET", "/api/templates");

export const fromTemplate = (path: string, template: string): Promise<Item> => call("POST", "/api/documents", { path, template });

/** Those that somebody has to look at, newest first. */
export const rejected = async (): Promise<readonly Rejected[]> => (await call<{ conflicts: Rejected[] }>("GET", "/api/conflicts")).conflicts;
