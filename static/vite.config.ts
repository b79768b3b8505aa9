import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The server replaces these words in the pages that it sends: the path prefix and the nonce of the Content-Security-Policy.
const BASE = "__BASE__";
const NONCE = "__NONCE__";

/** The page's own styles come with the page: on a slow network it is drawn a whole round trip earlier. */
function inlineStyles(): Plugin {
  return {
    name: "inline-styles",
    apply: "build",
    enforce: "post",
    transformIndexHtml: {
      order: "post",
      handler: (html, { bundle }) =>
        html.replace(/<link rel="stylesheet"[^>]*href="[^"]*\/(assets\/[^"]+\.css)"[^>]*>/g, (link, file: string) => {
          const asset = bundle?.[file];
          // What names other files does so relatively, from where it lies.
          if (asset?.type !== "asset" || /url\(|<\//.test(String(asset.source))) return link;
          return `<style nonce="${NONCE}">${String(asset.source)}</style>`;
        }),
    },
  };
}

export default defineConfig({
  plugins: [inlineStyles()],
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
      input: { index: "index.html", edit: "edit.html", login: "login.html", present: "present.html", diagram: "diagram.html" },
    },
  },
  worker: { format: "es" },
  experimental: {
    // Scripts and styles are sent as they are, so that they name each other relatively; only pages know the prefix.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `${BASE}/static/${file}` : { relative: true }),
  },
  test: { include: ["test/**/*.test.ts"] },
});
