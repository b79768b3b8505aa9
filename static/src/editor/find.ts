/** Find and replace: one line to find, one to replace, and how many there are. */

import { closeSearchPanel, findNext, findPrevious, getSearchQuery, replaceAll, replaceNext, search, SearchQuery, setSearchQuery } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { runScopeHandlers, type EditorView, type Panel, type ViewUpdate } from "@codemirror/view";

import { button, element } from "../base/dom.ts";
import { icon, type Icon } from "../base/icons.ts";
import { t } from "../base/messages.ts";
import { Rest } from "./rest.ts";

/** More are not counted. */
const MOST = 9999;
/** UTF-16 units that are searched in one step. */
const STRETCH = 20_000;
/** Milliseconds of rest before somebody counts. */
const PAUSE = 150;

class FindPanel implements Panel {
  readonly dom: HTMLElement;
  readonly top = true;
  private readonly rest = new Rest();
  private readonly words = field("editor.find.find", "search");
  private readonly instead = field("editor.find.replace", "replace");
  private readonly count = element("span", { class: "found", role: "status" });
  private readonly choices: Readonly<Record<"caseSensitive" | "regexp" | "wholeWord", HTMLButtonElement>>;
  private readonly replacing: HTMLElement;
  private query: SearchQuery;

  constructor(private readonly view: EditorView) {
    this.query = getSearchQuery(view.state);
    this.choices = { caseSensitive: this.choice("caseSensitive"), wholeWord: this.choice("wholeWord"), regexp: this.choice("regexp") };
    // The panel takes the focus when it opens, as the editor's library looks for it.
    this.words.setAttribute("main-field", "true");
    this.replacing = element(
      "div",
      { class: "line" },
      this.instead,
      button(t("editor.find.one"), () => void replaceNext(view)),
      button(t("editor.find.all"), () => void replaceAll(view)),
    );
    this.dom = element("div", { class: "find", role: "search", "aria-label": t("editor.menu.find") }, this.finding(), this.replacing);
    this.dom.addEventListener("keydown", (event) => this.key(event));
    this.dom.addEventListener("input", () => this.ask());
    this.show(this.query);
    this.allow();
    this.countSoon();
  }

  mount(): void {
    this.words.select();
  }

  update(update: ViewUpdate): void {
    const asked = update.transactions.flatMap((each) => each.effects).filter((effect) => effect.is(setSearchQuery));
    for (const effect of asked) if (effect.is(setSearchQuery) && !effect.value.eq(this.query)) this.show(effect.value);
    if (update.docChanged || update.selectionSet || asked.length > 0) this.countSoon();
    this.allow();
  }

  destroy(): void {
    this.rest.stop();
  }

  private finding(): HTMLElement {
    const { view } = this;
    const choices = element("span", { class: "choices", role: "group", "aria-label": t("editor.find.how") }, ...Object.values(this.choices));
    return element(
      "div",
      { class: "line" },
      element("span", { class: "words-field" }, this.words, this.count),
      choices,
      picture(t("editor.find.previous"), "up", () => void findPrevious(view)),
      picture(t("editor.find.next"), "down", () => void findNext(view)),
      picture(t("common.close"), "close", () => void (closeSearchPanel(view) && view.focus())),
    );
  }

  private choice(name: "caseSensitive" | "regexp" | "wholeWord"): HTMLButtonElement {
    const made = picture(t(`editor.find.${name}`), name, () => {
      made.setAttribute("aria-pressed", String(made.getAttribute("aria-pressed") !== "true"));
      this.ask();
    });
    made.setAttribute("aria-pressed", "false");
    return made;
  }

  private ask(): void {
    const on = (made: HTMLButtonElement): boolean => made.getAttribute("aria-pressed") === "true";
    const { caseSensitive, regexp, wholeWord } = this.choices;
    const asked = { search: this.words.value, replace: this.instead.value, caseSensitive: on(caseSensitive), regexp: on(regexp), wholeWord: on(wholeWord) };
    // Without a regular expression what is typed is meant as it stands, backslashes too.
    const query = new SearchQuery({ ...asked, literal: !asked.regexp });
    if (query.eq(this.query)) return;
    this.query = query;
    this.view.dispatch({ effects: setSearchQuery.of(query) });
  }

  private show(query: SearchQuery): void {
    this.query = query;
    this.words.value = query.search;
    this.instead.value = query.replace;
    for (const [name, made] of Object.entries(this.choices)) made.setAttribute("aria-pressed", String(query[name as keyof typeof this.choices]));
  }

  private allow(): void {
    this.replacing.hidden = this.view.state.readOnly;
  }

  private countSoon(): void {
    const panel = this;
    this.rest.begin(PAUSE, function* () {
      const { query, view } = panel;
      if (query.search === "" || !query.valid) return panel.tell(query.search === "" ? "" : t("editor.find.wrong"));
      const { from, to } = view.state.selection.main;
      let all = 0;
      let current = 0;
      for (const match of matches(view.state, query)) {
        if (match !== null) all += 1;
        if (match?.from === from && match.to === to) current = all;
        if (all >= MOST) break;
        yield;
      }
      panel.tell(all === 0 ? t("editor.find.none") : current > 0 ? t("editor.find.which", { current, all }) : t("editor.find.count", { n: all }));
    });
  }

  private tell(words: string): void {
    if (this.count.textContent !== words) this.count.textContent = words;
  }

  private key(event: KeyboardEvent): void {
    if (runScopeHandlers(this.view, event, "search-panel")) return event.preventDefault();
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.target === this.words) (event.shiftKey ? findPrevious : findNext)(this.view);
    else if (event.target === this.instead) replaceNext(this.view);
    else return;
    event.preventDefault();
  }
}

/** All matches one by one, and null now and then where there is none for long. */
function* matches(state: EditorState, query: SearchQuery): Generator<{ from: number; to: number } | null> {
  // What may go over a line's end is looked for in one go.
  const stretch = query.regexp || query.search.includes("\n") ? state.doc.length : STRETCH;
  for (let from = 0; from <= state.doc.length; ) {
    const to = state.doc.lineAt(Math.min(from + stretch, state.doc.length)).to;
    const cursor = query.getCursor(state, from, to);
    for (let next = cursor.next(); !next.done; next = cursor.next()) yield next.value;
    yield null;
    from = to + 1;
  }
}

function field(label: "editor.find.find" | "editor.find.replace", name: string): HTMLInputElement {
  const words = t(label);
  return element("input", { name, placeholder: words, "aria-label": words, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search" });
}

function picture(label: string, name: Icon, act: () => void): HTMLButtonElement {
  const made = button("", act, "pic");
  made.append(icon(name));
  made.setAttribute("aria-label", label);
  made.title = label;
  return made;
}

/** What the editor's library says to screen readers, in the person's language. */
const phrases = (): Record<string, string> => ({
  "current match": t("editor.phrase.match"),
  "on line": t("editor.phrase.line"),
  "replaced match on line $": t("editor.phrase.replaced"),
  "replaced $ matches": t("editor.phrase.replacedAll"),
  "Go to line": t("editor.phrase.goto"),
  go: t("editor.phrase.go"),
  close: t("common.close"),
  "Control character": t("editor.phrase.control"),
  "Selection deleted": t("editor.phrase.deleted"),
  "Folded lines": t("editor.phrase.folded"),
  "Unfolded lines": t("editor.phrase.unfolded"),
  to: t("editor.phrase.to"),
  "folded code": t("editor.phrase.foldedCode"),
  unfold: t("editor.phrase.unfold"),
  "Fold line": t("editor.phrase.fold"),
  "Unfold line": t("editor.phrase.unfold"),
});

export const finding = (): Extension => [search({ top: true, createPanel: (view) => new FindPanel(view) }), EditorState.phrases.of(phrases())];
