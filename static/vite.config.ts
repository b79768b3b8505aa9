import { defineConfig } from "vitest/config";

// The server replaces these words in the pages that it sends: the path prefix and the nonce of the Content-Security-Policy.
const BASE = "__BASE__";
const NONCE = "__NONCE__";

export default defineConfig({
  html: { cspNonce: NONCE },
  build: {
    outDir: "../collab/web/client",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "assets/licenses.md" },
    rolldownOptions: {
      input: { index: "index.html", edit: "edit.html", login: "login.html" },
    },
  },
  experimental: {
    // Scripts and styles are sent as they are, so that they name each other relatively; only pages know the prefix.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `${BASE}/static/${file}` : { relative: true }),
  },
  test: { include: ["test/**/*.test.ts"] },
});
