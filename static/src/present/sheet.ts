/** One slide on the screen: it keeps its element while its text changes, and makes itself small enough to be seen whole. */

import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { keyOf, type Page } from "./deck.ts";

/** Sizes of the letters, until all is to be seen; what is still too long is scrolled. */
const SIZES = [1, 0.92, 0.84, 0.77, 0.7, 0.64, 0.58] as const;
/** The same on an upright screen, which is small: its letters are to be read, and fingers scroll. */
const UPRIGHT_SIZES = [1, 0.92, 0.84] as const;

/** Renders Markdown with everything in it drawn. */
export type Renderer = (markdown: string) => Promise<Node>;

export class Sheet {
  private readonly leaf = element("div", { class: "leaf md-sheet" });
  /** What is scrolled when the slide is too long. */
  readonly content = element("div", { class: "sheet", tabindex: "-1" }, this.leaf);
  readonly element = element("section", { class: "slide", "aria-roledescription": t("present.slide"), "aria-busy": "true" }, this.content);
  private key: string | null = null;
  private drawing: Promise<void> = Promise.resolve();

  constructor(private readonly render: Renderer) {
    // Pictures tell their size late.
    this.content.addEventListener("load", () => this.fit(), true);
  }

  /** Resolved when all of this page is drawn; what was there stays until then. */
  show(page: Page): Promise<void> {
    const key = keyOf(page);
    if (key === this.key) return this.drawing;
    this.key = key;
    this.drawing = this.draw(page, key);
    return this.drawing;
  }

  /** Draw it anew, in other colours. */
  again(page: Page): Promise<void> {
    this.key = null;
    return this.show(page);
  }

  /** Whether a step in this direction would show more of this slide. */
  hasMore(down: boolean): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.content;
    return down ? scrollTop + clientHeight < scrollHeight - 2 : scrollTop > 2;
  }

  scroll(down: boolean): void {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    this.content.scrollBy({ top: (down ? 0.8 : -0.8) * this.content.clientHeight, behavior });
  }

  /** The largest letters with which the slide is seen whole. */
  fit(): void {
    const { content } = this;
    if (content.clientHeight === 0) return;
    for (const size of content.clientHeight > content.clientWidth ? UPRIGHT_SIZES : SIZES) {
      content.style.setProperty("--fit", String(size));
      if (content.scrollHeight <= content.clientHeight + 1 && content.scrollWidth <= content.clientWidth + 1) break;
    }
    const long = content.scrollHeight > content.clientHeight + 1;
    this.element.classList.toggle("long", long);
    // What is scrolled must be reached by keys.
    content.tabIndex = long ? 0 : -1;
  }

  private async draw({ source, matter }: Page, key: string): Promise<void> {
    const drawn = matter === null ? await this.render(source) : title(matter);
    // A newer text is under way.
    if (key !== this.key) return;
    this.leaf.replaceChildren(drawn);
    this.element.classList.toggle("cover", matter !== null || isCover(this.leaf));
    this.element.classList.toggle("headed", this.leaf.querySelector("h1, h2, h3") !== null);
    this.element.removeAttribute("aria-busy");
    this.fit();
  }
}

function title({ title, facts }: NonNullable<Page["matter"]>): Node {
  const said = facts.filter(({ label }) => label !== "keywords").map(({ text }) => element("p", { class: "fact" }, text));
  const made = document.createDocumentFragment();
  made.append(element("h1", {}, title), ...said);
  return made;
}

/** A heading with a line or two below it. */
function isCover(content: Element): boolean {
  const [first, ...rest] = [...content.querySelectorAll("h1, h2, h3, h4, h5, h6, p, ul, ol, pre, table, blockquote, img, hr, dl, details")];
  return first?.matches("h1, h2") === true && rest.length <= 2 && rest.every((each) => each.matches("h2, h3, p"));
}
