/** The sign-in page: redeems the one-time secret of the printed address, by a POST that no prefetch makes. */

import { Problem, signIn } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { secretIn } from "../base/secrets.ts";
import { address } from "../base/page.ts";

const message = part("message");
const form = part("form") as HTMLFormElement;
const field = part("secret") as HTMLInputElement;

function ask(words: string): void {
  message.textContent = words;
  form.hidden = false;
  field.value = "";
  field.focus();
}

function failure(problem: unknown): string {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 0 || problem.status >= 500) return problem.message;
  if (problem.status === 429) return "Too many attempts. Wait a minute, then try again.";
  return "This address was used already or is too old. Run “collab login” on the server: it prints a new one. Open that, or paste it here.";
}

async function redeem(secret: string): Promise<void> {
  message.textContent = "Signing in…";
  try {
    await signIn(secret);
  } catch (problem) {
    return ask(failure(problem));
  }
  location.replace(address.files());
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const secret = secretIn(field.value);
  if (secret !== "") void redeem(secret);
});

const given = secretIn(location.hash);
// The secret shall stay neither in the address bar nor in the history.
history.replaceState(null, "", location.pathname);
if (given === "") ask("Open the address that “collab serve” printed, or paste it here. “collab login” prints a new one.");
else void redeem(given);
