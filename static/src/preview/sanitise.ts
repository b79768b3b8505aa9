/**
 * The only place where markup becomes elements. What comes in is whatever an author wrote; what goes out runs nothing, loads nothing, names
 * nothing of ours and covers nothing: `dressed` then gives links and pictures their addresses.
 */

import DOMPurify from "dompurify";

import { ATTRIBUTE, hookIn } from "./hooks.ts";

/** What no author can know: our renderer's attributes begin with it. Made anew for each page. */
export const MARK = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");

/** Ids of the text begin with it, as at GitHub, so that none is an id or a global of the page. */
export const PREFIX = "user-content-";

const TAGS =
  "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure " +
  "h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp section small span strike strong " +
  "sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr";
const ATTRIBUTES =
  "abbr align alt cite colspan datetime dir height href id lang name open reversed rowspan scope span src start title type value width";

/** The one element that may have it. */
const ONLY: Readonly<Record<string, string>> = { href: "A", src: "IMG" };
/** `attachment:` names a picture inside of a cell of a notebook. */
const ADDRESS = /^(?:(?:https?|mailto|tel|attachment):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i;

let ready = false;

/** Once, for setting DOMPurify up costs more than most blocks. */
function setUp(): void {
  if (ready) return;
  ready = true;
  DOMPurify.setConfig({
    ALLOWED_TAGS: TAGS.split(" "),
    ALLOWED_ATTR: [...ATTRIBUTES.split(" "), ATTRIBUTE],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: ADDRESS,
    SANITIZE_NAMED_PROPS: true,
    // A fragment and no text: nothing is parsed a second time, so no parser can understand it otherwise.
    RETURN_DOM_FRAGMENT: true,
  });
  DOMPurify.addHook("uponSanitizeAttribute", (element, data) => {
    if (data.attrName === ATTRIBUTE) data.keepAttr = hookIn(MARK, data.attrValue) !== null;
    const only = ONLY[data.attrName];
    if (only !== undefined && only !== element.nodeName) data.keepAttr = false;
  });
}

/** The elements of an author's markup that may be on a page. */
export function sanitised(markup: string): DocumentFragment {
  setUp();
  // An author can make markup whose document has no body: then it is nothing.
  const fragment: DocumentFragment | null = DOMPurify.sanitize(markup, { RETURN_DOM_FRAGMENT: true });
  return fragment ?? document.createDocumentFragment();
}
