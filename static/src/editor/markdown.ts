/**
 * Markdown in the editor. The parsers of HTML and of the languages in code blocks are loaded when a document has such parts:
 * the language support of the library itself brings HTML, CSS and JavaScript to everybody.
 */

import { insertNewlineContinueMarkupCommand, deleteMarkupBackward, markdownLanguage, pasteURLAsLink } from "@codemirror/lang-markdown";
import { Language, LanguageDescription, LanguageSupport, ParseContext } from "@codemirror/language";
import { Prec } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { parseMixed, type Input, type Parser, type SyntaxNode } from "@lezer/common";
import { tags } from "@lezer/highlight";
import type { MarkdownConfig, MarkdownParser } from "@lezer/markdown";

import { onParsed } from "./parsed.ts";

/** A parser that is loaded when it is first asked for; until then its parts are skipped. Null: there is none. */
class LateParser {
  private parser: Parser | null | undefined;
  private loading: Parser | undefined;

  constructor(private readonly load: () => Promise<Parser | null>) {}

  get(): Parser | null {
    if (this.parser !== undefined) return this.parser;
    this.loading ??= ParseContext.getSkippingParser(
      this.load()
        .catch(() => null)
        .then((parser) => (this.parser = parser)),
    );
    return this.loading;
  }
}

const html = new LateParser(async () => (await import("@codemirror/lang-html")).html({ matchClosingTags: false }).language.parser);

const late = new Map<string, LateParser>();

/** The parser of a code block's language, by its first word. */
function codeParser(info: string): Parser | null {
  const name = info.toLowerCase();
  let found = late.get(name);
  if (found === undefined) late.set(name, (found = new LateParser(() => named(name))));
  return found.get();
}

async function named(name: string): Promise<Parser | null> {
  const { languages } = await import("@codemirror/language-data");
  const found = LanguageDescription.matchLanguageName(languages, name, true);
  return found === null ? null : (await found.load()).language.parser;
}

/** The text of a block without the marks of quotes and lists around it. */
function within(node: SyntaxNode, from: number, to: number): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let at = from;
  for (let child = node.firstChild; ; child = child.nextSibling) {
    const next = child === null ? to : child.from;
    if (next > at) ranges.push({ from: at, to: next });
    if (child === null) return ranges;
    at = child.to;
  }
}

const mixed = parseMixed((ref, input: Input) => {
  const { node } = ref;
  if (ref.name === "FencedCode") {
    const info = node.getChild("CodeInfo");
    const name = info === null ? "" : (/^\S+/.exec(input.read(info.from, info.to))?.[0] ?? "");
    const parser = name === "" ? null : codeParser(name);
    return parser && { parser, overlay: (inner) => inner.name === "CodeText" };
  }
  if (!/^(?:HTMLBlock|HTMLTag|CommentBlock)$/.test(ref.name)) return null;
  const parser = html.get();
  return parser && { parser, overlay: within(node, ref.from, ref.to) };
});

/** Facts about the document before its first line: else its last one would be the underline of a heading. */
const frontMatter: MarkdownConfig = {
  defineNodes: [{ name: "FrontMatter", block: true, style: tags.meta }],
  parseBlock: [
    {
      name: "FrontMatter",
      before: "HorizontalRule",
      parse: (context, line) => {
        if (context.lineStart !== 0 || !/^---\s*$/.test(line.text) || !/^(?:[\w"'-][^:]*:|#|---\s*$)/.test(context.peekLine())) return false;
        while (context.nextLine() && !/^(?:---|\.\.\.)\s*$/.test(line.text));
        const end = context.lineStart + line.text.length;
        context.nextLine();
        context.addElement(context.elt("FrontMatter", 0, end));
        return true;
      },
    },
  ],
};

const parser = (markdownLanguage.parser as MarkdownParser).configure([frontMatter, { wrap: mixed }]);
const language = new Language(markdownLanguage.data, parser, [], "markdown");

/** Markdown as GFM has it, with lists and quotes that go on after Enter, and addresses pasted over words that become links. */
export function markdown(): LanguageSupport {
  const keys = [
    { key: "Enter", run: onParsed(insertNewlineContinueMarkupCommand({ nonTightLists: false })) },
    { key: "Backspace", run: onParsed(deleteMarkupBackward) },
  ];
  return new LanguageSupport(language, [pasteURLAsLink, Prec.high(keymap.of(keys))]);
}
