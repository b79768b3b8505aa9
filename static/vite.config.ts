import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

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

/** What can be made small is made small once, here: Brotli is a seventh smaller than gzip, and slow to make. */
function brotli(): Plugin {
  return {
    name: "brotli",
    apply: "build",
    writeBundle({ dir = "" }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const body = readFileSync(join(dir, name));
        writeFileSync(`${join(dir, name)}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }));
      }
    },
  };
}

/** The page where one signs in works without scripts, so that the server has to say its words: it finds them beside the pages. */
function loginWords(): Plugin {
  const read = (language: string): unknown => JSON.parse(readFileSync(new URL(`src/messages/login.${language}.json`, import.meta.url), "utf8"));
  return {
    name: "login-words",
    apply: "build",
    writeBundle({ dir = "" }) {
      writeFileSync(join(dir, "login.json"), JSON.stringify(Object.fromEntries(["en", "de", "fr"].map((language) => [language, read(language)]))));
    },
  };
}

/** The keys for Emacs enter themselves into a table by calls which their library marks as free of effects: a bundler would drop them. */
function emacsKeys(): Plugin {
  return {
    name: "emacs-keys",
    transform: (code, id) => (id.includes("@replit/codemirror-emacs") ? { code: code.replaceAll("/*@__PURE__*/EmacsHandler.", "EmacsHandler."), map: null } : undefined),
  };
}

/**
 * The list of languages names the library's Markdown, which brings the parsers of HTML, CSS and JavaScript along; ours loads them when a
 * document has such parts.
 */
function lightMarkdown(): Plugin {
  const ours = fileURLToPath(new URL("src/editor/markdown.ts", import.meta.url));
  return {
    name: "light-markdown",
    enforce: "pre",
    resolveId: (source, importer) => (source === "@codemirror/lang-markdown" && importer?.includes("@codemirror/language-data") ? ours : undefined),
  };
}

export default defineConfig({
  plugins: [inlineStyles(), brotli(), loginWords(), emacsKeys(), lightMarkdown()],
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
      input: {
        index: "index.html",
        edit: "edit.html",
        login: "login.html",
        present: "present.html",
        office: "office.html",
        diagram: "diagram.html",
        // The server makes the pages of readers; it finds these by their names.
        reader: "src/reading/reader.ts",
        keeper: "src/reading/keeper.ts",
      },
    },
  },
  worker: { format: "es" },
  experimental: {
    // Scripts and styles are sent as they are, so that they name each other relatively; only pages know the prefix.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `${BASE}/static/${file}` : { relative: true }),
  },
  // Nothing is measured here: how long a test may take is for one that hangs, not for a machine that has other work.
  test: { include: ["test/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 30_000 },
});
