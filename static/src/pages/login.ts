/** The sign-in page: redeems the one-time secret of the printed address, by a POST that no prefetch makes. Accounts and providers need no script. */

import { Problem, signIn } from "../base/api.ts";
import { part } from "../base/dom.ts";
import { t, type Key } from "../base/messages.ts";
import { secretIn } from "../base/secrets.ts";
import { address } from "../base/page.ts";
import { begin } from "../base/start.ts";
import { tellSignedIn } from "../base/signed-in.ts";

const message = part("message");
const notice = part("notice");
const form = part("form") as HTMLFormElement;
const field = part("secret") as HTMLInputElement;
const account = part("account") as HTMLFormElement;
const name = part("name") as HTMLInputElement;
const password = part("password") as HTMLInputElement;
const printed = part("printed") as HTMLButtonElement;
const card = document.querySelector("main") as HTMLElement;

/** What this server offers beside printed addresses: `account`, `provider`. */
const ways = ["account", "provider"].filter((way) => card.classList.contains(way));

function ask(words: string): void {
  // What was wrong with an account is another matter.
  notice.textContent = "";
  form.before(message);
  message.textContent = words;
  form.hidden = false;
  printed.hidden = true;
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
  // The server has looked at where the address wanted to go.
  location.replace(account.querySelector<HTMLInputElement>("[name=next]")?.value || address.files());
}

/** Accounts and providers first; who has a printed address finds its field behind a button. */
function offer(): void {
  message.textContent = "";
  printed.hidden = false;
  if (!ways.includes("account")) return;
  (name.value === "" ? name : password).focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const secret = secretIn(field.value);
  if (secret !== "") void redeem(secret);
});

account.addEventListener("submit", () => (message.textContent = t("login.busy")));
// Who comes back to this page finds it as it was.
addEventListener("pageshow", (event) => event.persisted && ways.length > 0 && offer());

printed.addEventListener("click", () => ask(t("login.ask")));

const given = secretIn(location.hash);
// The secret shall stay neither in the address bar nor in the history.
history.replaceState(null, "", location.pathname + location.search);

async function start(): Promise<void> {
  await begin();
  const word = notice.dataset["word"] ?? "";
  if (word !== "") notice.textContent = t(`login.notice.${word}` as Key);
  if (card.classList.contains("done")) {
    tellSignedIn();
    // Where a browser does not let a page do so, there are its words.
    close();
  } else if (given !== "") await redeem(given);
  else if (ways.length === 0) ask(t("login.ask"));
  else offer();
}

void start();
