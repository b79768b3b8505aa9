/**
 * The page's policy reports each event handler and each style that is parsed, also in the sanitiser's own document, where nothing runs, and
 * also when it is taken away at once. This takes most of them out before. It is for quiet and not for safety: the sanitiser relies on nothing
 * here.
 */

const START = /<(\/?)([a-z][^\s/>]*)/giy;
const ATTRIBUTE = /[\s/]*([^\s/>=][^\s/>=]*|=[^\s/>=]*)(?:\s*=\s*("[^"]*"?|'[^']*'?|[^\s>]*))?/gy;
const LOUD = /^(?:on|style$)/i;
/** What is parsed as the loud element is, its text or that it has none, and is nothing. */
const STANDS_FOR: Readonly<Record<string, string>> = { style: "noembed", script: "noembed", track: "wbr", base: "wbr" };

/** Values within values that are looked into. */
const DEPTH = 3;

/** The markup without handlers and styles. */
export function quiet(markup: string, depth = 0): string {
  let made = "";
  let at = 0;
  for (let open; (open = markup.indexOf("<", at)) >= 0; ) {
    made += markup.slice(at, open);
    START.lastIndex = open;
    const tag = START.exec(markup);
    if (tag === null) {
      made += "<";
      at = open + 1;
    } else {
      const [, slash = "", name = ""] = tag;
      const { kept, end } = attributes(markup, START.lastIndex, depth);
      made += `<${slash}${STANDS_FOR[name.toLowerCase()] ?? name}${kept}`;
      at = end;
    }
  }
  return made + markup.slice(at);
}

/** The attributes from here to the tag's end, or to that of the text. */
function attributes(markup: string, start: number, depth: number): { kept: string; end: number } {
  let kept = "";
  let at = start;
  for (let found; (found = attributeAt(markup, at)) !== null; ) {
    const [whole, name = "", value = ""] = found;
    at += whole.length;
    if (LOUD.test(name)) kept += " ";
    // Where a style is text, the end of that text may be in what looks like a value.
    else kept += value.includes("<") && depth < DEPTH ? whole.slice(0, whole.length - value.length) + quiet(value, depth + 1) : whole;
  }
  const rest = /[\s/]*/y;
  rest.lastIndex = at;
  const blanks = rest.exec(markup)?.[0] ?? "";
  return { kept: kept + blanks, end: at + blanks.length };
}

function attributeAt(markup: string, at: number): RegExpExecArray | null {
  ATTRIBUTE.lastIndex = at;
  return ATTRIBUTE.exec(markup);
}
