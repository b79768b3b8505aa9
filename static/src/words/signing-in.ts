/** Signing in again in a window of its own, while this page waits and keeps its words. */

import { session, type Session } from "../base/api.ts";
import { address } from "../base/page.ts";
import { onSignedIn } from "../base/signed-in.ts";

/** Milliseconds between two looks while the window is open. */
const LOOK = 1500;

/** Who is signed in in this browser now; null for nobody, or when nobody can be asked. */
export async function whoIsHere(): Promise<Session | null> {
  return await session().catch(() => null);
}

export class SigningIn {
  private shown: Window | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private waiting = false;
  private asking = false;
  /** There was a reason to look while it was asked: the answer may be older. */
  private missed = false;

  /** `came`: somebody is signed in now. */
  constructor(private readonly came: (now: Session) => void) {
    const look = (): void => {
      if (this.waiting && document.visibilityState === "visible") void this.look();
    };
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    // Also while the window is before this page.
    onSignedIn(() => this.waiting && void this.look());
  }

  /** From now on somebody has to sign in. */
  wait(): void {
    this.waiting = true;
  }

  /** Show the page where one signs in: a small window, or a tab where there are none. */
  begin(): void {
    this.wait();
    this.shown = open(address.loginAlone(), "collab-login", "popup,width=520,height=640");
    clearInterval(this.timer);
    this.timer = setInterval(() => void (this.asking || this.look()), LOOK);
  }

  /** Nobody is waited for any more. */
  end(): void {
    this.waiting = false;
    clearInterval(this.timer);
    this.shown?.close();
    this.shown = null;
  }

  private async look(): Promise<void> {
    if (this.asking) return void (this.missed = true);
    this.asking = true;
    this.missed = false;
    const closed = this.shown?.closed ?? true;
    const now = await whoIsHere();
    this.asking = false;
    if (!this.waiting) return;
    if (now !== null) return this.came(now);
    if (this.missed) return this.look();
    // Whoever closed the window without signing in is not waited for; coming back to this page looks again.
    if (closed) clearInterval(this.timer);
  }
}
