/** The sign-in page: redeems the one-time secret of the printed address, by a POST that no prefetch makes. */

import { Problem, signIn } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { secretIn } from "../base/secrets.ts";
import { address } from "../base/page.ts";
import { begin } from "../base/start.ts";

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
  if (problem.status === 0) return t("login.offline");
  if (problem.status >= 500) return problem.message;
  return t(problem.status === 429 ? "login.often" : "login.used");
}

async function redeem(secret: string): Promise<void> {
  message.textContent = t("login.busy");
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

async function start(): Promise<void> {
  await begin();
  document.title = `${t("login.title")} · collab`;
  if (given === "") ask(t("login.ask"));
  else await redeem(given);
}

void start();
