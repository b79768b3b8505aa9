/** The window in which a document or a folder is shared: with people and groups by name, and by links. */

import "../styles/sharing.css";

import { Problem } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { dialog } from "../files/dialog.ts";
import { here, type Here } from "./here.ts";
import { linkForm, shownLink } from "./links.ts";
import { Picker } from "./picker.ts";
import { nameOf, row } from "./rows.ts";
import { Sharing, type Allowed, type Kind, type LinkTerms, type Role, type Share, type Shares, type Terms } from "./shares.ts";
import { dayField, endIn, named, roleField } from "./terms.ts";

export interface Shared {
  /** A document's id, or a folder's path. */
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  /** Who is in the document, when it is open here. */
  readonly here?: Here;
}

let open: HTMLDialogElement | null = null;

/** Show the window; the focus comes back to where it was when it is closed. */
export function showSharing(shared: Shared): void {
  if (open !== null) return;
  const window = new Window(shared);
  open = window.element;
  open.addEventListener("close", () => (open = null));
}

class Window {
  readonly element: HTMLDialogElement;
  private readonly sharing: Sharing;
  private readonly said = element("p", { class: "said", role: "status" });
  private readonly body = element("div", { class: "body", "aria-busy": "true" }, element("p", { class: "hint" }, t("sharing.loading")));
  private readonly people = element("ul", { class: "shares" });
  private readonly links = element("ul", { class: "shares" });
  private readonly fresh = element("div", { class: "fresh" });
  private known: Shares | null = null;
  /** What was done last with each share: its answers come in the order of what was done. */
  private readonly deeds = new Map<string, Promise<void>>();

  constructor({ name, title, here: present }: Shared) {
    this.sharing = new Sharing(name);
    this.element = dialog(t("sharing.title", { name: title }), "wide sharing", this.said, this.body);
    if (present !== undefined) this.element.addEventListener("close", here(present, this.said));
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.known = await this.sharing.all();
    } catch (problem) {
      this.body.removeAttribute("aria-busy");
      return this.body.replaceChildren(element("p", { class: "refused" }, refusal(problem)));
    }
    this.body.removeAttribute("aria-busy");
    this.body.replaceChildren(...this.sections(this.known.allowed));
    this.show();
    this.body.querySelector<HTMLElement>("input, select, button")?.focus();
  }

  private sections(allowed: Allowed): HTMLElement[] {
    const byName = allowed.person || allowed.group;
    const named = byName ? [this.giving(allowed)] : [];
    const linked = allowed.link ? [linkForm(allowed, (terms) => this.makeLink(terms)), this.fresh] : [element("p", { class: "hint" }, t("sharing.link.none"))];
    return [
      element("section", { "aria-labelledby": "share-people" }, element("h3", { id: "share-people" }, t("sharing.people")), ...named, this.people),
      element("section", { "aria-labelledby": "share-links" }, element("h3", { id: "share-links" }, t("sharing.links")), ...linked, this.links),
    ];
  }

  private giving(allowed: Allowed): HTMLFormElement {
    const kinds = new Set<Kind>([...(allowed.person ? (["person"] as const) : []), ...(allowed.group ? (["group"] as const) : [])]);
    const role = roleField(allowed.roles, allowed.roles.includes("editor") ? "editor" : (allowed.roles[0] ?? "viewer"), t("sharing.role"));
    const until = dayField(null, t("sharing.until"));
    const terms = element("div", { class: "fields", hidden: true }, named(t("sharing.role"), role), allowed.expires ? named(t("sharing.until"), until) : null);
    const picker = new Picker(kinds, (who) => (terms.hidden = who === null));
    const send = element("button", { type: "submit", class: "primary" }, t("sharing.give"));
    terms.append(send);
    const form = element("form", { class: "give" }, picker.element, terms);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [who, expires] = [picker.who, endIn(until)];
      if (who === null) return picker.missing();
      if (expires === undefined || send.disabled) return;
      send.disabled = true;
      void this.act(async () => {
        this.keep(await this.sharing.give(who, { role: role.value as Role, expires }));
        this.tell(t("sharing.given", { name: who.name }));
        picker.clear();
        picker.input.focus();
      }).finally(() => (send.disabled = false));
    });
    return form;
  }

  private makeLink(terms: LinkTerms): Promise<void> {
    return this.act(async () => {
      const { address, ...made } = await this.sharing.link(terms);
      this.keep(made);
      if (address === undefined) return;
      this.fresh.replaceChildren(shownLink(address, true));
      this.fresh.querySelector<HTMLElement>("button")?.focus();
      this.tell(t("sharing.link.made"));
    });
  }

  private show(): void {
    if (this.known === null) return;
    const { shares, allowed } = this.known;
    const ways = { change: (share: Share, change: Partial<Terms>) => this.change(share, change), take: (share: Share) => this.take(share), tell: (words: string, wrong = false) => this.tell(words, wrong) };
    const make = (share: Share): HTMLElement => {
      const made = row(share, allowed, ways);
      if (share.address !== undefined) made.append(shownLink(share.address, false));
      return made;
    };
    const [links, people] = [shares.filter((each) => each.subject.kind === "link"), shares.filter((each) => each.subject.kind !== "link")];
    this.people.replaceChildren(...people.map(make));
    this.links.replaceChildren(...links.map(make));
    if (people.length === 0) this.people.append(element("li", { class: "hint" }, t("sharing.people.none")));
  }

  private change(share: Share, change: Partial<Terms>): Promise<void> {
    return this.inTurn(share, async () => {
      this.keep(await this.sharing.change(share, change));
      this.tell(t("sharing.changed", { name: nameOf(share) }));
    });
  }

  private take(share: Share): Promise<void> {
    return this.inTurn(share, async () => {
      await this.sharing.take(share);
      if (this.known !== null) this.known.shares = this.known.shares.filter((each) => each.id !== share.id);
      this.fresh.replaceChildren();
      this.show();
      this.tell(t("sharing.taken", { name: nameOf(share) }));
      this.body.querySelector<HTMLElement>("input, select")?.focus();
    });
  }

  /** In the place of the one with its id, or at the end; the focus stays on the field of it. */
  private keep(share: Share): void {
    if (this.known === null) return;
    const at = this.known.shares.findIndex((each) => each.id === share.id);
    this.known.shares.splice(at < 0 ? this.known.shares.length : at, at < 0 ? 0 : 1, { ...this.known.shares[at], ...share });
    const focused = document.activeElement;
    const place = focused?.closest("[data-share]")?.getAttribute("data-share");
    const kind = focused?.className ?? "";
    this.show();
    if (place) this.body.querySelector<HTMLElement>(`[data-share="${CSS.escape(place)}"] .${CSS.escape(kind)}`)?.focus();
  }

  private inTurn({ id }: Share, what: () => Promise<void>): Promise<void> {
    const before = this.deeds.get(id) ?? Promise.resolve();
    const mine = before.then(() => this.act(what));
    this.deeds.set(id, mine);
    return mine;
  }

  /** What fails is told, and everything is shown as the server has it. */
  private async act(what: () => Promise<void>): Promise<void> {
    this.tell("");
    try {
      await what();
    } catch (problem) {
      this.tell(problem instanceof Error ? problem.message : String(problem), true);
      this.show();
    }
  }

  private tell(words: string, wrong = false): void {
    this.said.textContent = words;
    this.said.classList.toggle("refused", wrong);
  }
}

function refusal(problem: unknown): string {
  if (problem instanceof Problem && problem.status === 403) return t("sharing.refused");
  return problem instanceof Error ? problem.message : String(problem);
}
