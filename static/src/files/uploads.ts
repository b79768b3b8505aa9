/** Files on their way to the server: two at a time, each with a state of its own, until there are none. */

import { Problem } from "../base/api.ts";
import { t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import type { Board } from "./board.ts";
import type { Load } from "./dropped.ts";
import { exists, failure } from "./failures.ts";
import { namesIn } from "./folders.ts";
import { free, inside } from "./naming.ts";
import { makeFolder } from "./rest.ts";
import { send, type Sending } from "./send.ts";
import { say } from "./toasts.ts";
import { Panel } from "./uploads-panel.ts";

const AT_ONCE = 2;
/** Milliseconds between two looks at the list while files arrive. */
const LOOK = 1000;

export type State = "waiting" | "sending" | "done" | "exists" | "failed" | "cancelled";

export interface Upload {
  readonly file: File;
  path: string;
  state: State;
  sent: number;
  why: string;
  sending: Sending | null;
}

let running: Uploads | null = null;

/** Upload into this folder; joins what is under way already. */
export function upload(board: Board, folder: string, load: Load): void {
  running ??= new Uploads(board);
  void running.add(folder, load);
}

export class Uploads {
  readonly all: Upload[] = [];
  private readonly panel = new Panel(this);
  private looked = 0;
  /** What is added in this moment: its folders are made first. */
  private coming = 0;
  /** The panel was closed. */
  private over = false;
  private readonly stay = (event: BeforeUnloadEvent): void => event.preventDefault();

  constructor(private readonly board: Board) {}

  /** How many are neither done nor given up. */
  get open(): number {
    return this.all.filter(({ state }) => state === "waiting" || state === "sending").length;
  }

  async add(folder: string, { files, folders }: Load): Promise<void> {
    addEventListener("beforeunload", this.stay);
    this.coming += 1;
    this.panel.show();
    for (const path of folders) if (!this.over) await this.folder(inside(folder, path));
    this.coming -= 1;
    if (this.over) return;
    const uploads = files.map(({ path, file }): Upload => ({ file, path: inside(folder, path), state: "waiting", sent: 0, why: "", sending: null }));
    this.all.push(...uploads);
    say(t("files.upload.started", { n: uploads.length }));
    this.next();
  }

  cancel(upload: Upload): void {
    upload.sending?.cancel();
    if (upload.state !== "done") this.settle(upload, "cancelled");
  }

  again(upload: Upload): void {
    upload.sent = 0;
    this.settle(upload, "waiting");
  }

  /** Under the next name that is free. */
  async keepBoth(upload: Upload): Promise<void> {
    const folder = folderOf(upload.path);
    const there = await namesIn(folder).catch(() => new Set<string>());
    // It was pressed twice, or left out while we asked.
    if (upload.state !== "exists" || this.over) return;
    const name = fileName(upload.path);
    const coming = new Set(this.all.filter((each) => each !== upload).map(({ path }) => path));
    upload.path = inside(folder, free(name, (each) => each === name || there.has(each) || coming.has(inside(folder, each))));
    this.again(upload);
  }

  /** Forget everything: the panel was closed. */
  end(): void {
    this.over = true;
    for (const upload of this.all) if (upload.state === "waiting" || upload.state === "sending") this.cancel(upload);
    removeEventListener("beforeunload", this.stay);
    running = null;
  }

  private async folder(path: string): Promise<void> {
    // A folder that is there already takes what comes; what else is wrong with it, its files will say.
    await makeFolder(path).catch(() => null);
  }

  private next(): void {
    const free = AT_ONCE - this.all.filter(({ state }) => state === "sending").length;
    for (const upload of this.all.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free))) void this.start(upload);
    this.panel.draw();
    if (this.open > 0) addEventListener("beforeunload", this.stay);
    else if (this.coming === 0) this.finish();
  }

  private async start(upload: Upload): Promise<void> {
    upload.state = "sending";
    upload.sending = send(upload.path, upload.file, (sent) => {
      upload.sent = sent;
      this.panel.draw(upload);
    });
    try {
      await upload.sending.done;
      this.settle(upload, "done");
    } catch (problem) {
      if (problem instanceof Problem && problem.reason === "cancelled") this.settle(upload, "cancelled");
      else if (exists(problem)) this.settle(upload, "exists");
      else {
        upload.why = failure(problem);
        this.settle(upload, "failed");
      }
    }
  }

  private settle(upload: Upload, state: State): void {
    upload.state = state;
    if (state !== "sending") upload.sending = null;
    if (state === "done" && performance.now() - this.looked > LOOK) this.look();
    this.next();
  }

  private look(): void {
    this.looked = performance.now();
    void this.board.load();
  }

  private finish(): void {
    removeEventListener("beforeunload", this.stay);
    const done = this.all.filter(({ state }) => state === "done").length;
    const open = this.all.filter(({ state }) => state === "exists" || state === "failed").length;
    say(open === 0 ? t("files.upload.done", { n: done }) : t("files.upload.left", { n: open }));
    if (done > 0) this.look();
  }
}
