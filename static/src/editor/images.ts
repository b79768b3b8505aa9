/** Pictures and other files that are pasted, dropped or chosen: they go beside the document, and a link to them into the text. */

import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";

import { call, Problem, type Item } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { fileName, folderOf } from "../base/names.ts";
import { note } from "../base/notes.ts";
import type { Desk } from "./desk.ts";
import { fileLink, imageOf } from "./inserts.ts";

/** Names with a number that are tried before one with the time, which nobody else has. */
const TRIES = 20;

/** Which uploads are under way, and where their links will stand: on this page alone, never in the shared text. */
const begun = StateEffect.define<{ id: number; at: number; name: string }>({ map: ({ id, at, name }, changes) => ({ id, at: changes.mapPos(at), name }) });
const ended = StateEffect.define<number>();

class Waiting extends WidgetType {
  constructor(
    readonly id: number,
    readonly name: string,
  ) {
    super();
  }

  override eq(other: Waiting): boolean {
    return other.id === this.id;
  }

  toDOM(): HTMLElement {
    return element("span", { class: "cm-waiting", role: "status" }, t("editor.upload.busy", { name: this.name }));
  }
}

const waiting = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, { changes, effects }) => {
    let now = before.map(changes);
    for (const effect of effects) {
      if (effect.is(begun)) now = now.update({ add: [Decoration.widget({ widget: new Waiting(effect.value.id, effect.value.name), side: 1 }).range(effect.value.at)] });
      if (effect.is(ended)) now = now.update({ filter: (_from, _to, { spec }) => (spec as { widget: Waiting }).widget.id !== effect.value });
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function placeOf(view: EditorView, id: number): number | null {
  for (const cursor = view.state.field(waiting).iter(); cursor.value !== null; cursor.next()) {
    if ((cursor.value.spec as { widget: Waiting }).widget.id === id) return cursor.from;
  }
  return null;
}

let last = 0;

/** Upload files one after the other and put their links where they were dropped. */
async function take(desk: Desk, files: readonly File[], at: number): Promise<void> {
  const { view } = desk;
  const jobs = files.map((file) => ({ id: (last += 1), file, name: safe(file.name || `image.${file.type.split("/")[1] ?? "png"}`) }));
  view.dispatch({ effects: jobs.map(({ id, name }) => begun.of({ id, at, name })) });
  for (const [number, { id, file, name }] of jobs.entries()) {
    try {
      const path = await upload(folderOf(desk.path), name, file);
      insert(desk, id, fileName(path), isPicture(file) , number > 0);
    } catch (error) {
      failed(error, name);
    }
    view.dispatch({ effects: ended.of(id) });
  }
}

const isPicture = ({ type }: File): boolean => type.startsWith("image/");

function insert(desk: Desk, id: number, name: string, picture: boolean, follows: boolean): void {
  const { view, undo } = desk;
  const at = placeOf(view, id);
  // Who may not write any more has the file, and no link to it.
  if (at === null || view.state.readOnly) return;
  const text = (follows ? "\n" : "") + (picture ? imageOf(name) : fileLink(name));
  const here = view.state.selection.main.empty && view.state.selection.main.head === at;
  undo.stopCapturing();
  view.dispatch({ changes: { from: at, insert: text }, ...(here && { selection: { anchor: at + text.length } }), userEvent: "input.paste" });
  undo.stopCapturing();
}

/** The path under which the file then lies: when its name is taken, one with a number. */
async function upload(folder: string, name: string, file: File): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = (folder === "" ? "" : `${folder}/`) + numbered(name, number);
    try {
      const address = `/api/documents/${encodeURIComponent(path)}/content`;
      return (await call<Item>("PUT", address, file, { "If-None-Match": "*" })).path;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412 || number > TRIES + 1) throw error;
    }
  }
}

/** "plan.png", "plan-2.png", … */
export function numbered(name: string, number: number): string {
  if (number === 1) return name;
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? name.slice(dot) : "";
  return `${name.slice(0, name.length - end.length)}-${number > TRIES ? Date.now().toString(36) : number}${end}`;
}

/** A name that every file system and every address takes. */
export function safe(name: string): string {
  const kept = fileName(name)
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}\\:*?"<>|#%]+/gu, "")
    .trim()
    .replace(/\s+/g, "-")
    .replace(/^\.+/, "");
  return kept === "" ? "file" : kept.length > 100 ? kept.slice(-100) : kept;
}

function failed(error: unknown, name: string): void {
  const status = error instanceof Problem ? error.status : -1;
  const reasons = { 0: "offline", 403: "forbidden", 413: "large", 507: "full" } as const;
  const reason = reasons[status as keyof typeof reasons] ?? "failed";
  note("upload", { text: t(`editor.upload.${reason}`, { name }) , acts: [{ label: t("common.close"), act: () => document.querySelector('[data-note="upload"]')?.remove() }] });
}

/** What of a transfer is to be uploaded: nothing when it is text, which word processors send together with a picture of it. */
function filesIn(data: DataTransfer | null): File[] {
  if (data === null || data.types.includes("text/plain")) return [];
  return [...data.files].filter(({ size, type }) => size > 0 || type !== "");
}

function drops(desk: Desk): Extension {
  const taken = (event: ClipboardEvent | DragEvent, data: DataTransfer | null, at: number): boolean => {
    const files = desk.readOnly ? [] : filesIn(data);
    if (files.length === 0) return false;
    event.preventDefault();
    void take(desk, files, at);
    return true;
  };
  return EditorView.domEventHandlers({
    paste: (event, { state }) => taken(event, event.clipboardData, state.selection.main.to),
    drop: (event, view) => taken(event, event.dataTransfer, view.posAtCoords({ x: event.clientX, y: event.clientY }, false)),
  });
}

const accepting = new WeakSet<EditorView>();

/** Take files that are pasted or dropped from now on. */
export function accept(desk: Desk): void {
  if (accepting.has(desk.view)) return;
  accepting.add(desk.view);
  desk.view.dispatch({ effects: StateEffect.appendConfig.of([waiting, drops(desk)]) });
}

/** Let the person choose pictures of this device. */
export function choose(desk: Desk): void {
  accept(desk);
  const input = element("input", { type: "file", accept: "image/*", multiple: true, hidden: true, "data-choose": "image" });
  input.addEventListener("change", () => {
    void take(desk, [...(input.files ?? [])], desk.view.state.selection.main.to);
    input.remove();
    desk.view.focus();
  });
  input.addEventListener("cancel", () => input.remove());
  document.body.append(input);
  input.click();
}
