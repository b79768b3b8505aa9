/** The document's connection to the server, and the facts about it that the page shows. */

import { HocuspocusProvider, HocuspocusProviderWebsocket, MessageType, WebSocketStatus } from "@hocuspocus/provider";
import type { onMessageParameters } from "@hocuspocus/provider";
import * as Y from "yjs";

import { isCells } from "./contents.ts";
import { forgettable } from "./forgetting.ts";
import { noticeIn, type Notice } from "./notices.ts";
import { backOff, reasonOfClose, refusal } from "./refusals.ts";
import { Ways } from "./ways.ts";
import { doubted, reportIn, type Facts, type Report } from "./words.ts";

/** What a page does when something about its connection changes. */
export interface Watcher {
  /** The facts are others now. */
  changed(facts: Readonly<Facts>): void;
  /** The document is here for the first time. */
  opened(): void;
  /** The server refuses the document until the person acts. */
  refused(reason: string): void;
  /** Authenticated again after a refusal. */
  admitted(): void;
  /** An edit was made on this page. */
  made(update: Uint8Array): void;
  /** All edits until now are durable. */
  stored(): void;
  /** Something happened to the file. */
  noticed?(notice: Notice): void;
}

/** Where edits come from that earlier pages made: the origin of their transaction. */
export const RETURNED = { returned: true };

/** Milliseconds without an acknowledgement after which the browser is asked whether it has a network. */
const PATIENCE = 2000;

/** The socket's cookie is the identity; the in-band token names who we are, once we know, so that our words are sent for nobody else. */
const COOKIE = "cookie";

const HELLO = "collab:hello ";

export class Connection {
  readonly document = new Y.Doc({ gcFilter: forgettable });
  readonly text = this.document.getText("content");
  readonly provider: HocuspocusProvider;
  readonly facts: Facts = { link: "opening", edits: 0, unsynced: 0, cutOff: false, refused: false, readOnly: false, passing: "", slow: false, report: null };
  private readonly ways: Ways;
  private readonly socket: HocuspocusProviderWebsocket;
  private opened = false;
  /** The slow way is left for a WebSocket: until when nobody need be told. */
  private hastening: ReturnType<typeof setTimeout> | undefined;
  /** Edits for cells of earlier pages that are not stored yet: here they may be garbage, which no handshake brings. */
  private brought: Uint8Array[] = [];
  /** The last report said "saved" before it can have known our words: ask again when they are stored. */
  private doubting = false;
  private refusals = 0;
  /** The id is not known to the server any more. */
  private byPath = false;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private comeBack: ReturnType<typeof setTimeout> | undefined;

  constructor(
    url: string,
    name: string,
    private readonly version: string,
    private readonly watcher: Watcher,
    token?: () => string,
  ) {
    this.ways = new Ways(url, token === undefined ? "same-origin" : "omit", () => this.hasten());
    this.socket = new HocuspocusProviderWebsocket({ url, minDelay: 500, maxDelay: 15_000, WebSocketPolyfill: this.ways.open, onOpen: () => this.begun() });
    this.provider = new HocuspocusProvider({ websocketProvider: this.socket, name, document: this.document, token: token ?? this.cookie });
    this.listen();
    this.provider.attach();
  }

  /** The shared presence of everybody here. */
  get awareness(): NonNullable<HocuspocusProvider["awareness"]> {
    if (this.provider.awareness === null) throw new Error("the provider was made without awareness");
    return this.provider.awareness;
  }

  /** What stands in the document's history as its beginning; "" before the document is here. */
  get lineage(): string {
    const lineage: unknown = this.document.getMap("collab").get("lineage");
    return typeof lineage === "string" ? lineage : "";
  }

  /** Add edits that earlier pages made, and let the server say when they are durable, whether it knows them already or not. */
  bring(update: Uint8Array): void {
    const before = this.facts.edits;
    // Here a cell that was moved meanwhile is garbage, and so is what is added to it; the server still knows its copy.
    const cells = isCells(this.document);
    if (cells) {
      this.brought.push(update);
      this.provider.documentUpdateHandler(update, RETURNED);
    }
    Y.applyUpdate(this.document, update, RETURNED);
    if (!cells && this.facts.edits === before) this.provider.documentUpdateHandler(update, RETURNED);
  }

  /** Come back after a refusal, or at once instead of after the next pause. */
  retry(): void {
    if (this.facts.link === "ended") this.change({ link: "lost", refused: false });
    clearTimeout(this.comeBack);
    this.followRename();
    // A socket that is still closing comes back by itself when it has closed.
    this.socket.shouldConnect = true;
    void this.socket.connect();
  }

  /** Say everything once more on a new connection: rights may be others now. */
  anew(): void {
    this.socket.disconnect();
    this.retry();
  }

  /** A hint that the network is back. */
  hurry(): void {
    this.change({ cutOff: false });
    this.ways.hurry();
    if (this.facts.link === "lost") this.retry();
  }

  /** WebSockets get through again: at a quiet moment this connection takes one. */
  private hasten(): void {
    // Whoever was refused comes back when the person wants to.
    if (!this.facts.slow || this.facts.link === "ended") return;
    if (this.facts.link === "open" && this.facts.unsynced > 0) return void setTimeout(() => this.hasten(), PATIENCE);
    if (this.facts.link === "open") this.hastening = setTimeout(() => this.hastened(), PATIENCE);
    this.socket.disconnect();
    this.socket.shouldConnect = true;
    void this.socket.connect();
  }

  private hastened(): void {
    clearTimeout(this.hastening);
    this.hastening = undefined;
    if (this.socket.status !== WebSocketStatus.Connected) this.lost();
  }

  private readonly cookie = (): string => {
    const person = this.facts.report?.person ?? "";
    return person === "" ? COOKIE : `${COOKIE}:${person}`;
  };

  private listen(): void {
    this.document.on("update", (update: Uint8Array, origin: unknown) => this.edited(update, origin));
    this.provider
      .on("authenticated", () => this.admitted())
      .on("authenticationFailed", ({ reason }: { reason: string }) => this.refuse(reason))
      .on("synced", () => this.synced())
      .on("unsyncedChanges", ({ number }: { number: number }) => this.acknowledged(number))
      .on("stateless", ({ payload }: { payload: string }) => this.told(payload))
      .on("message", ({ message }: onMessageParameters) => this.looked(message))
      .on("close", ({ event }: { event: { code: number; reason: string } }) => this.closed(event));
    this.socket.on("disconnect", () => this.lost());
  }

  /**
   * What was queued without a socket goes with the handshake's sync step; sent again from the queue, its
   * acknowledgements would be counted for words that are not stored yet.
   */
  private begun(): void {
    this.socket["messageQueue"] = [];
    this.facts.refused = false;
    this.facts.slow = this.ways.slow;
    clearTimeout(this.hastening);
    this.hastening = undefined;
  }

  private change(facts: Partial<Facts>): void {
    Object.assign(this.facts, facts);
    this.watcher.changed(this.facts);
  }

  private edited(update: Uint8Array, origin: unknown): void {
    if (origin === this.provider) return;
    if (origin !== RETURNED) this.watcher.made(update);
    const { edits, report } = this.facts;
    this.change({ edits: edits + 1, report: report && doubted(report) });
    this.patience ??= setTimeout(() => this.change({ cutOff: !navigator.onLine }), PATIENCE);
  }

  private acknowledged(unsynced: number): void {
    if (unsynced > 0) return this.change({ unsynced });
    clearTimeout(this.patience);
    this.patience = undefined;
    this.brought = [];
    this.watcher.stored();
    this.change({ unsynced, edits: 0, cutOff: false });
    if (this.doubting) this.greet();
  }

  private admitted(): void {
    this.refusals = 0;
    // Before the server asks what we have: to whoever knows that they are garbage they are nothing any more.
    for (const update of this.brought) this.provider.documentUpdateHandler(update, RETURNED);
    this.greet();
    this.permit(this.facts.report, { passing: "" });
    this.watcher.admitted();
  }

  private synced(): void {
    if (!this.opened) this.watcher.opened();
    this.opened = true;
    this.change({ link: "open" });
  }

  private told(payload: string): void {
    const notice = noticeIn(payload);
    if (notice !== null) this.watcher.noticed?.(notice);
    const report = reportIn(payload);
    if (report === null) return;
    // Where we are now, the id is known.
    this.byPath = false;
    const early = this.facts.edits > 0;
    this.doubting = early && report.file === "saved";
    this.permit(report, { report: early ? doubted(report) : report });
  }

  /** Whether one may write is another thing, perhaps. What was not taken before is said again by whoever may write again. */
  private permit(report: Report | null, facts: Partial<Facts>): void {
    const { refused, readOnly: before } = this.facts;
    const readOnly = this.isReadOnly(report);
    this.change({ ...facts, readOnly });
    if (refused && before && !readOnly) this.anew();
  }

  /** The server answers each greeting with a report. */
  private greet(): void {
    this.doubting = false;
    this.provider.sendStateless(HELLO + JSON.stringify({ version: this.version }));
  }

  private isReadOnly(report: Report | null): boolean {
    return this.provider.authorizedScope === "readonly" || report?.writable === false;
  }

  /** The provider says nothing of a sync status 0: changes that the server did not take. */
  private looked(message: onMessageParameters["message"]): void {
    message.readVarString();
    if (message.readVarUint() === MessageType.SyncStatus && message.readVarUint() === 0) this.change({ refused: true });
  }

  private closed({ code, reason }: { code: number; reason: string }): void {
    const final = reasonOfClose(code, reason);
    if (final === null) this.facts.passing = reason.split(":")[0] ?? "";
    if (final !== null) this.refuse(final);
    // The document was closed and not the socket: nobody else would open it again.
    else if (this.socket.status === WebSocketStatus.Connected) this.wait();
    else this.lost();
  }

  private lost(): void {
    if (this.facts.link === "ended") return;
    if (this.hastening === undefined) this.change({ link: "lost" });
    // Not inside the socket's own event, whose other listeners are still to be called.
    queueMicrotask(() => this.followRename());
  }

  /** The document may be renamed while we are away: come back by the name that stays. */
  private followRename(): void {
    const { id, path } = this.facts.report ?? { id: null, path: "" };
    const name = this.byPath ? path : (id ?? path);
    if (name === "" || name === this.provider.configuration.name) return;
    this.provider.detach();
    this.provider.setConfiguration({ websocketProvider: this.socket, name });
    this.provider.attach();
  }

  /**
   * A server that lost its state knows the file and not the id: ask by the path, once. What stands there is this
   * document only if it has its history, else the server says "lineage".
   */
  private triesPath(reason: string): boolean {
    const { id, path } = this.facts.report ?? { id: null, path: "" };
    if (reason !== "not-found" || this.byPath || path === "" || this.provider.configuration.name !== id) return false;
    this.byPath = true;
    this.anew();
    return true;
  }

  private refuse(reason: string): void {
    if (refusal(reason) === null) {
      this.facts.passing = reason;
      return this.wait();
    }
    if (this.triesPath(reason)) return;
    this.change({ link: "ended" });
    this.socket.disconnect();
    this.watcher.refused(reason);
  }

  private wait(): void {
    this.socket.disconnect();
    this.change({ link: "lost" });
    clearTimeout(this.comeBack);
    this.comeBack = setTimeout(() => this.retry(), 1000 * backOff(this.refusals, Math.random()));
    this.refusals += 1;
  }
}
