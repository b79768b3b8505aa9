/** The page around a suite's frame: it opens the document there, does what the suite asks for, and says what goes wrong. */

import { editAddress, find, Problem, visit, type Item } from "../base/api.ts";
import { element, part } from "../base/dom.ts";
import { spoken, t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import { note, unnote, type Act } from "../base/notes.ts";
import { address } from "../base/page.ts";
import { timeOfDay } from "../base/show.ts";
import { askForCopy } from "./copy.ts";
import { productOf, speech, type Product, type Said, type Speech } from "./contract.ts";
import { post, SuiteFrame } from "./frame.ts";
import { heldWords } from "./held.ts";
import { knownSuites, officeAddress, offers, preferred } from "./offers.ts";
import { refuse, whyOf, type Refused } from "./refused.ts";
import { Renewal } from "./renewal.ts";
import { launch, rejected, type Launch } from "./rest.ts";
import { share } from "./share.ts";

/** Milliseconds after which it is said that the suite has not come, or says nothing of itself. */
const PATIENCE = 20_000;
/** Milliseconds that a suite gets to save when one leaves. */
const SAVING = 4000;

export class OfficePage {
  private item: Item | null = null;
  private product: Product = "other";
  private speech: Speech = speech("other");
  private frame: SuiteFrame | null = null;
  private renewal: Renewal | null = null;
  private given: Launch | null = null;
  private modified = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private leaving: (() => void) | null = null;

  constructor(
    private readonly name: string,
    private readonly suite: string,
    private readonly action: "edit" | "view",
  ) {
    part("share").addEventListener("click", () => this.share());
    part("back").addEventListener("click", (event) => this.back(event));
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (effectiveDirective === "frame-src" || effectiveDirective === "form-action") this.fail("blocked");
    });
  }

  async start(): Promise<void> {
    this.show();
    try {
      const [item, all] = await Promise.all([find(this.name), knownSuites()]);
      this.item = item;
      void visit(item.id).catch(() => undefined);
      this.show();
      if (this.suite === "") return this.choose(item);
      const suite = all.find(({ name }) => name === this.suite);
      this.product = productOf(suite?.product ?? "");
      this.speech = speech(this.product);
      document.body.dataset["product"] = this.product;
      this.tellHeld(item);
      await Promise.all([this.open(item), this.tellRejected(item)]);
    } catch (problem) {
      this.failed(problem);
    }
  }

  private get path(): string {
    return this.item?.path ?? this.name;
  }

  private get refused(): Refused {
    return { path: this.path, id: this.item?.id ?? this.name, suite: this.suite, retry: () => location.reload() };
  }

  /** The page of the first suite that takes it: what a page may load is said by its address. */
  private choose({ path, role }: Item): void {
    const offer = preferred(offers(path, role === "viewer" || this.action === "view"));
    if (offer === null) return this.fail("unknown");
    location.replace(officeAddress(this.name, offer));
  }

  private async open({ id, path }: Item): Promise<void> {
    const given = await launch(id, this.suite, this.action, spoken());
    this.given = given;
    const title = t("office.frame", { suite: this.suite, name: fileName(path) });
    this.frame = new SuiteFrame(part("place"), title, given, this.product, { said: (said) => this.said(said), arrived: () => this.arrived() });
    this.frame.shown = false;
    this.renewal = new Renewal(given, {
      ask: this.speech.token === null ? null : () => launch(id, this.suite, this.action, spoken()),
      renewed: (next) => this.renewed(next),
      ending: (left) => this.ending(left),
      final: (error) => error instanceof Problem && [401, 403, 404].includes(error.status),
    });
    this.patience = setTimeout(() => this.fail("silent", "", this.elsewhere()), PATIENCE);
    this.frame.open();
  }

  /** Who has it open on a desktop; that is worth to be known, and never in the way. */
  private tellHeld({ held }: Item): void {
    if (held === undefined) return;
    const close: Act = { label: t("common.close"), act: () => this.unnote("held") };
    note("held", { text: heldWords(held, "suite"), acts: [close] });
  }

  /** What could not be taken into this document, and lies beside it. */
  private async tellRejected({ id }: Item): Promise<void> {
    const found = (await rejected().catch(() => [])).filter(({ document }) => document === id);
    for (const { copy } of found.slice(0, 1)) {
      // What was kept is not only in the suite's page any more.
      unnote("unsaved");
      const open: Act = { label: t("outside.act.open", { name: fileName(copy) }), act: editAddress(copy), beside: true };
      const close: Act = { label: t("common.close"), act: () => this.unnote("rejected") };
      note("rejected", { title: t("outside.rejected.title"), text: t("outside.rejected.text", { name: fileName(copy) }), acts: [open, close] });
    }
  }

  /** The frame has something; whether that is the suite is known when it speaks. */
  private arrived(): void {
    this.frame?.send(this.speech.ready());
    if (document.body.dataset["state"] !== "loading") return;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.quiet(), PATIENCE);
    this.reveal();
  }

  private said(said: Said): void {
    switch (said.kind) {
      case "listening":
        this.frame?.send(this.speech.ready());
        return this.reveal();
      case "loaded":
        this.frame?.send(this.speech.ready());
        return this.loaded();
      case "failed":
        return this.notOpened(said.detail);
      case "modified":
        return this.showSaves(said.modified ? "unsaved" : "saved");
      case "saved":
        return this.saved(said.success, said.detail);
      case "close":
        return this.leave();
      case "share":
        return this.share();
      case "edit":
        return location.assign(officeAddress(this.name, { suite: this.suite, action: "edit" }));
      case "renamed":
        return void this.renamed();
      case "copy":
        return this.copy(said.extension);
      case "expiring":
        return void this.renewal?.renew();
    }
  }

  private reveal(): void {
    part("waiting").hidden = true;
    if (this.frame !== null) this.frame.shown = true;
  }

  private loaded(): void {
    clearTimeout(this.patience);
    this.reveal();
    this.unnote("refusal");
    part("place").setAttribute("aria-busy", "false");
    if (document.body.dataset["state"] === "loaded") return;
    document.body.dataset["state"] = "loaded";
    if (matchMedia("(hover: hover)").matches) this.frame?.focus();
  }

  /** Something is in the frame and says nothing: a suite that keeps silent, or the browser's words about a page that it may not show. */
  private quiet(): void {
    part("place").setAttribute("aria-busy", "false");
    document.body.dataset["state"] = "quiet";
    const close: Act = { label: t("common.close"), act: () => this.unnote("refusal") };
    note("refusal", { text: t("office.quiet", { suite: this.suite }), acts: [...this.elsewhere(), { label: t("common.retry"), act: () => location.reload() }, close] });
  }

  /** A window of its own, for a suite that lets nobody show it in a frame. */
  private elsewhere(): Act[] {
    const { given } = this;
    if (given === null) return [];
    const beside = (): void => {
      const name = `office-${crypto.randomUUID()}`;
      // Browsers hold back windows that nobody asked for.
      if (open("", name) === null) return note("popup", { text: t("office.popup"), kind: "grave" });
      this.unnote("popup");
      post(given, name);
    };
    return [{ label: t("office.window"), act: beside }];
  }

  private notOpened(detail: string): void {
    clearTimeout(this.patience);
    // The suite says more about it than we know.
    this.reveal();
    refuse("failed", this.refused, detail);
  }

  private fail(why: Parameters<typeof refuse>[0], detail = "", more: readonly Act[] = []): void {
    clearTimeout(this.patience);
    if (this.frame !== null) this.frame.shown = false;
    refuse(why, this.refused, detail, more);
  }

  private failed(problem: unknown): void {
    if (!(problem instanceof Problem)) throw problem;
    const why = whyOf(problem);
    this.fail(why === "missing" && this.item !== null ? "unknown" : why, problem.status === 0 ? "" : problem.message);
  }

  private showSaves(now: "saved" | "unsaved"): void {
    this.modified = now === "unsaved";
    const words = t(`office.${now}`, { suite: this.suite });
    if (part("saves").textContent !== words) part("saves").textContent = words;
    part("saves").dataset["saves"] = now;
  }

  private saved(success: boolean, detail: string): void {
    if (success) {
      this.unnote("unsaved");
      this.leaving?.();
      return;
    }
    this.leaving = null;
    const close: Act = { label: t("common.close"), act: () => this.unnote("unsaved") };
    note("unsaved", { title: t("office.unsaved.title"), text: [t("office.unsaved.text"), detail], acts: [close], kind: "grave" });
    if (this.item !== null) void this.tellRejected(this.item);
  }

  /** The name is the server's: what a frame calls a file is not believed. */
  private async renamed(): Promise<void> {
    const id = this.item?.id ?? "";
    const found = await find(id === "" ? this.name : id).catch(() => null);
    if (found === null) return;
    this.item = found;
    this.show();
    if (!this.name.startsWith("id:")) history.replaceState(null, "", officeAddress(found.path, { suite: this.suite, action: this.action }));
  }

  private show(): void {
    const name = this.path.startsWith("id:") ? "" : this.path;
    part("title").replaceChildren(element("bdi", {}, fileName(name)));
    part("title").title = name;
    part("suite").textContent = this.suite;
    part("read-only").hidden = this.action !== "view" && this.item?.role !== "viewer";
    part("back").setAttribute("href", address.files(folderOf(name)));
    part("waiting").textContent = t("office.opening", { suite: this.suite });
    document.title = `${fileName(name) || t("common.document")} · collab`;
  }

  private renewed(next: Launch): void {
    this.given = next;
    this.frame?.send(this.speech.token?.(next.access_token, next.access_token_ttl) ?? null);
  }

  private ending(left: number): void {
    const at = timeOfDay(new Date(Date.now() + left).toISOString());
    const again: Act = { label: t("office.again"), act: () => this.leaveFor(() => location.reload()), kind: "primary" };
    note("ending", { title: t("office.ending.title", { at }), text: t("office.ending.text", { suite: this.suite }), acts: [again], kind: "grave" });
  }

  private share(): void {
    const { suite, action } = this;
    this.frame?.send(this.speech.focus(false));
    share(location.origin + officeAddress(this.item?.id ?? this.name, { suite, action }), () => this.returned());
  }

  private copy(extension: string): void {
    this.frame?.send(this.speech.focus(false));
    askForCopy(fileName(this.path), extension, (name) => {
      if (name !== null) this.frame?.send(this.speech.copy(name));
      this.returned();
    });
  }

  /** The keyboard goes back to the suite. */
  private returned(): void {
    this.frame?.send(this.speech.focus(true));
    this.frame?.focus();
  }

  private unnote(key: string): void {
    if (unnote(key)) this.returned();
  }

  private back(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.leave();
  }

  private leave(): void {
    this.leaveFor(() => location.assign(address.files(folderOf(this.path.startsWith("id:") ? "" : this.path))));
  }

  /** What is not saved is saved first, where the suite can be asked for it; all of them save after their page is closed, too. */
  private leaveFor(go: () => void): void {
    const save = this.modified ? this.speech.save() : null;
    if (save === null) return go();
    this.leaving = go;
    this.frame?.send(save);
    setTimeout(() => this.leaving?.(), SAVING);
  }
}
