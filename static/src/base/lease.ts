/** The token of a page that another site shows in a frame, where no cookie is sent: only in memory, and renewed before it ends. */

/** Milliseconds between two looks at the clock: a page that slept or was in the background renews at the next one. */
const LOOK = 15_000;
/** Milliseconds before its end from which on a token is renewed. */
const MARGIN = 180_000;

/** Seconds since the epoch, by the server's clock (RFC 7519, section 4.1); `until`: no renewal goes beyond it. */
interface Claims {
  iat: number;
  exp: number;
  until: number;
}

export class Lease {
  private renewAt = 0;
  private exp = 0;
  private readonly timer: ReturnType<typeof setInterval>;

  /** `renewal` gives the next token; `final` says of an error that asking again is of no use. */
  constructor(
    private current: string,
    private readonly renewal: () => Promise<string>,
    private readonly final: (error: unknown) => boolean,
  ) {
    this.timer = setInterval(() => void this.look(), LOOK);
    this.take(current);
  }

  /** The token of the moment. */
  readonly token = (): string => this.current;

  /** Ask for no more tokens. */
  end(): void {
    clearInterval(this.timer);
  }

  private take(token: string): void {
    const { iat, exp, until } = claims(token);
    // The answer to a question that was long under way may be older than what we have.
    if (exp < this.exp) return;
    this.current = token;
    this.exp = exp;
    // Only the difference is the server's: its clock may be another than ours.
    this.renewAt = Date.now() + 1000 * (exp - iat) - MARGIN;
    if (exp >= until) this.end();
  }

  private async look(): Promise<void> {
    if (Date.now() < this.renewAt) return;
    try {
      this.take(await this.renewal());
    } catch (error) {
      if (this.final(error)) this.end();
    }
  }
}

function claims(token: string): Claims {
  const body = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  return JSON.parse(atob(body)) as Claims;
}
