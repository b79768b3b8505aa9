/** Trusted Types: the page's policy lets only these make addresses of workers; markup comes from the sanitiser's own policy. */

interface Policy {
  createScriptURL(url: string): string;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const own = (url: string): string => {
  if (new URL(url, location.href).origin !== location.origin) throw new TypeError("scripts come from this server only");
  return url;
};
const policy: Policy = factory?.createPolicy("collab", { createScriptURL: own }) ?? { createScriptURL: own };

/** A module worker at this address of our own, as `import address from "./worker.ts?worker&url"` gives it. */
export function worker(address: string): Worker {
  return new Worker(policy.createScriptURL(address), { type: "module" });
}
