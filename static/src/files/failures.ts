/** What went wrong, and what one can do about it. */

import { Problem } from "../base/api.ts";
import { t, type Key } from "../base/messages.ts";

const WORDS: Readonly<Record<number, Key>> = {
  0: "files.fail.offline",
  401: "files.fail.signedOut",
  403: "files.fail.forbidden",
  404: "files.fail.gone",
  409: "files.fail.exists",
  413: "files.fail.large",
  423: "files.fail.locked",
  429: "files.fail.often",
  503: "files.fail.busy",
  507: "files.fail.full",
};

/** In the person's language where we know the case, else in the server's words; what is no answer of a server is thrown again. */
export function failure(problem: unknown): string {
  if (!(problem instanceof Problem)) throw problem;
  const key = exists(problem) ? "files.fail.exists" : WORDS[problem.status];
  return key === undefined ? problem.message : t(key);
}

export const exists = (problem: unknown): boolean => problem instanceof Problem && problem.reason === "exists";
