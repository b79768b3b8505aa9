// A real provider on this machine, told by JSON lines what happens to it: {"disable": "ada"}, {"groups": {"ada": [...]}}, {"rotate": true}, {"mode": "away"}.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

import { Provider } from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const people = {
  ada: { name: "Ada Lovelace", email: "ada@example.org", preferred_username: "ada", groups: ["physics", "staff"], orcid: "https://orcid.org/0000-0002-1825-0097" },
  bob: { name: "Bob Øre", email: "bob@example.org", preferred_username: "bob", groups: ["chemistry"] },
};
const disabled = new Set();
const asked = [];
let mode = "well";

// What one provider gave, the next one with other keys knows as well.
const kept = new Map();
class Kept {
  constructor(kind) {
    this.kind = kind;
  }
  key(id) {
    return `${this.kind}:${id}`;
  }
  async upsert(id, payload, expires) {
    kept.set(this.key(id), { ...payload, until: expires ? Date.now() + expires * 1000 : Infinity });
  }
  async find(id) {
    const found = kept.get(this.key(id));
    return found && found.until > Date.now() ? found : undefined;
  }
  async findByUid(uid) {
    return [...kept.entries()].find(([key, value]) => key.startsWith(`${this.kind}:`) && value.uid === uid)?.[1];
  }
  async findByUserCode() {
    return undefined;
  }
  async destroy(id) {
    kept.delete(this.key(id));
  }
  async revokeByGrantId(grant) {
    for (const [key, value] of kept) if (value.grantId === grant) kept.delete(key);
  }
  async consume(id) {
    const found = kept.get(this.key(id));
    if (found) found.consumed = Math.floor(Date.now() / 1000);
  }
}

let number = 0;
function provider() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: `key-${++number}` };
  const made = new Provider(settings.issuer, {
    adapter: Kept,
    jwks: { keys: [key] },
    clients: [
      {
        client_id: "collab",
        client_secret: "a secret: of the client+/",
        redirect_uris: [settings.redirect],
        post_logout_redirect_uris: [settings.back],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
      { client_id: "public", token_endpoint_auth_method: "none", redirect_uris: [settings.redirect], response_types: ["code"] },
    ],
    cookies: { keys: ["a key for the provider's cookies"] },
    scopes: ["openid", "offline_access"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups", "orcid"], email: ["email"] },
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => settings.refresh !== false,
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    ttl: { AccessToken: 60, IdToken: 60, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
    findAccount: async (_, id) => (disabled.has(id) || !people[id] ? undefined : { accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
    // Nobody is asked whether this server, which is the institute's own, may know who they are.
    loadExistingGrant: async (ctx) => {
      const id = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
      if (id) return ctx.oidc.provider.Grant.find(id);
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid profile email offline_access");
      await grant.save();
      return grant;
    },
  });
  return made.callback();
}

let answer = provider();
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url.split("?")[0]}`);
  if (mode === "away") return request.socket.destroy();
  if (mode === "ill") return response.writeHead(503).end("<html>not now</html>");
  if (mode === "gateway" && request.method === "POST" && request.url.startsWith("/token")) return response.writeHead(403).end("<html>blocked</html>");
  if (mode === "keyless" && request.url.startsWith("/jwks")) return response.writeHead(503).end("<html>not now</html>");
  answer(request, response);
});
server.listen(settings.port, "127.0.0.1", () => console.log(JSON.stringify({ ready: server.address().port })));
createInterface({ input: process.stdin }).on("line", (line) => {
  const told = JSON.parse(line);
  if (told.disable) disabled.add(told.disable);
  if (told.enable) disabled.delete(told.enable);
  for (const [person, groups] of Object.entries(told.groups ?? {})) people[person].groups = groups;
  if (told.rotate) answer = provider();
  if (told.mode) mode = told.mode;
  console.log(JSON.stringify({ asked: told.asked ? asked.splice(0) : undefined }));
});
