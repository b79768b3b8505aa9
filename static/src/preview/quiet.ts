/**
 * The page's policy reports each event handler and each style that is parsed, also in the sanitiser's own document, where nothing runs, and
 * also when it is taken away at once. This takes most of them out before. It is for quiet and not for safety: the sanitiser relies on nothing
 * here.
 */

const START = /<(\/?)([a-z][^\s/>]*)/giy;
const ATTRIBUTE = /[\s/]*([^\s/>=][^\s/>=]*|=[^\s/>=]*)(?:\s*=\s*("[^"]*"?|'[^']*'?|[^\s>]*))?/gy;
const LOUD = /^(?:on|style$)/i;
/** Their text is no text, as that of the loud element, and the sanitiser knows them as well. */
const STANDS_FOR: Readonly<Record<string, string>> = { style: "noembed", script: "noembed" };

/** The markup without handlers and styles. */
export function quiet(markup: string): string {
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
      const { kept, end } = attributes(markup, START.lastIndex);
      made += `<${slash}${STANDS_FOR[name.toLowerCase()] ?? name}${kept}`;
      at = end;
    }
  }
  return made + markup.slice(at);
}

/** The attributes from here to the tag's end, or to that of the text. */
function attributes(markup: string, start: number): { kept: string; end: number } {
  let kept = "";
  let at = start;
  ATTRIBUTE.lastIndex = at;
  for (let found; (found = ATTRIBUTE.exec(markup)) !== null; at = ATTRIBUTE.lastIndex) {
    const [whole, name = "", value = ""] = found;
    if (LOUD.test(name)) kept += " ";
    // Where a style is text, the end of that text may be in what looks like a value.
    else kept += value.includes("<") ? whole.slice(0, whole.length - value.length) + quiet(value) : whole;
  }
  const rest = /[\s/]*/y;
  rest.lastIndex = at;
  const blanks = rest.exec(markup)?.[0] ?? "";
  return { kept: kept + blanks, end: at + blanks.length };
}
