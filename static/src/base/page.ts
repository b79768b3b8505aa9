/** What the server wrote into this page. */

const meta = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";

/** The path prefix of the server, "" or for example "/collab": no slash at its end. */
export const base = meta("collab-base");

/** The version of the server that sent this page. */
export const version = meta("collab-version");

/** The nonce of the page's Content-Security-Policy, for style elements that scripts make. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

/** The token for a page in a frame of another site, "" for all others; taken out of the page at once. */
export const token = meta("collab-token");
document.querySelector('meta[name="collab-token"]')?.remove();

export const address = {
  files: (folder = ""): string => `${base}/${folder === "" ? "" : `?path=${encodeURIComponent(folder)}`}`,
  login: (): string => `${base}/login`,
  /** The same for a window of its own, which closes when somebody is signed in. */
  loginAlone: (): string => `${base}/login?next=${encodeURIComponent(`${base}/login/done`)}`,
  /** Where one signs in, and comes back from to where one is. */
  loginAndBack: (): string => `${base}/login?next=${encodeURIComponent(location.pathname + location.search)}`,
  /** The WebSocket of all documents: their names are sent in band. */
  collaboration: (): string => `${location.origin.replace(/^http/, "ws")}${base}/collaboration`,
};
