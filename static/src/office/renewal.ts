/** Keeps a suite's token from ending while somebody works: asks for the next one in time. */

import type { Launch } from "./rest.ts";

/** Milliseconds between two looks at the clock: a page that slept renews at the next one. */
const LOOK = 15_000;
/** Milliseconds before its end from which on a token is renewed, and the share of its life that this is at most. */
const MARGIN = 1_200_000;
const SHARE = 0.25;
/** Milliseconds between two attempts. */
const PAUSE = 30_000;

export interface Renewing {
  /** The next token; null: this suite takes no other one while it is open. */
  readonly ask: (() => Promise<Launch>) | null;
  renewed(launch: Launch): void;
  /** There will be no other token: milliseconds until this one ends. */
  ending(left: number): void;
  /** Whether it is of no use to ask again after this error. */
  final(error: unknown): boolean;
}

export class Renewal {
  private endsAt = 0;
  private renewAt = 0;
  private asking = false;
  private askedAt = -Infinity;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(
    first: Launch,
    private readonly renewing: Renewing,
  ) {
    this.timer = setInterval(() => {
      if (Date.now() >= this.renewAt) void this.renew();
    }, LOOK);
    this.take(first);
  }

  /** Ask for the next token now, unless that was done a moment ago. */
  async renew(): Promise<void> {
    const { ask } = this.renewing;
    if (ask === null) return this.over();
    if (this.asking || Date.now() - this.askedAt < PAUSE) return;
    this.asking = true;
    this.askedAt = Date.now();
    try {
      const next = await ask();
      this.take(next);
      this.renewing.renewed(next);
    } catch (error) {
      this.failed(error);
    } finally {
      this.asking = false;
    }
  }

  end(): void {
    clearInterval(this.timer);
  }

  private take({ access_token, access_token_ttl }: Launch): void {
    const life = lifeOf(access_token) ?? access_token_ttl - Date.now();
    this.endsAt = Date.now() + life;
    this.renewAt = this.endsAt - Math.min(MARGIN, SHARE * life);
  }

  private failed(error: unknown): void {
    if (this.renewing.final(error) || Date.now() >= this.endsAt) this.over();
  }

  private over(): void {
    this.end();
    this.renewing.ending(Math.max(0, this.endsAt - Date.now()));
  }
}

/** Milliseconds from the making of a token (RFC 7519) to its end: the difference is right whatever this device's clock says. */
export function lifeOf(token: string): number | null {
  try {
    const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { iat, exp } = JSON.parse(atob(body)) as { iat?: unknown; exp?: unknown };
    return typeof iat === "number" && typeof exp === "number" && exp > iat ? 1000 * (exp - iat) : null;
  } catch {
    return null;
  }
}
