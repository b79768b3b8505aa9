/** Pictures and other files that are pasted, dropped or chosen: they go beside the document, and a link to them into the text. */

import { StateEffect, StateField, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import * as Y from "yjs";

import { Problem } from "../base/api.ts";
import { element } from "../base/dom.ts";
import { t } from "../base/messages.ts";
import { note, unnote } from "../base/notes.ts";
import { attach, type Attached } from "./attached.ts";
import { fileLink, imageOf } from "./inserts.ts";

/** A text that takes files, and the editor in which it is written. */
export interface Place {
  readonly view: EditorView;
  readonly text: Y.Text;
  readonly undo: Y.UndoManager;
  /** The path of the document under the root as of now. */
  readonly path: string;
  /** As of now. */
  readonly readOnly: boolean;
}

/** Which uploads are under way, and where their links will stand: on this page alone, never in the shared text. */
const begun = StateEffect.define<{ id: number; at: number; name: string }>({ map: ({ id, at, name }, changes) => ({ id, at: changes.mapPos(at, -1), name }) });
const ended = StateEffect.define<number>();
/** The link of an upload stands there now: those that were begun after it and wait at the same place come behind it. */
const placed = StateEffect.define<{ id: number; from: number; to: number }>();

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
    // How far it is, is seen and not read aloud again and again.
    const far = element("span", { "aria-hidden": "true", "data-far": String(this.id) });
    return element("span", { class: "cm-waiting", role: "status" }, t("editor.upload.busy", { name: this.name }), far);
  }

  static tell(id: number, percent: number): void {
    for (const far of document.querySelectorAll(`[data-far="${id}"]`)) far.textContent = ` ${percent} %`;
  }
}

const idOf = ({ spec }: Decoration): number => (spec as { widget: Waiting }).widget.id;

function behind(all: DecorationSet, { id, from, to }: { id: number; from: number; to: number }): DecorationSet {
  const later: Range<Decoration>[] = [];
  all.between(from, from, (_from, _to, each) => void (idOf(each) > id && later.push(each.range(to))));
  return all.update({ filter: (at, _to, each) => at !== from || idOf(each) <= id, add: later });
}

/** They stand before the caret: what one goes on to type comes behind the link. */
const waiting = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, { changes, effects }) => {
    let now = before.map(changes);
    for (const effect of effects) {
      if (effect.is(placed)) now = behind(now, effect.value);
      if (effect.is(begun)) now = now.update({ add: [Decoration.widget({ widget: new Waiting(effect.value.id, effect.value.name), side: -1 }).range(effect.value.at)] });
      if (effect.is(ended)) now = now.update({ filter: (_from, _to, each) => idOf(each) !== effect.value });
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function placeOf(view: EditorView, id: number): number | null {
  for (const cursor = view.state.field(waiting).iter(); cursor.value !== null; cursor.next()) {
    if (idOf(cursor.value) === id) return cursor.from;
  }
  return null;
}

let last = 0;

/** Files that are sent at once. */
const AT_ONCE = 2;

interface Job {
  readonly id: number;
  /** Where the next link of these files will stand, should the editor be closed until then. */
  readonly spot: { at: Y.RelativePosition };
  readonly file: File;
  readonly name: string;
}

/** Upload files, two at a time, and put their links where they were dropped, in their order. */
export async function take(place: Place, files: readonly File[], at: number): Promise<void> {
  const { view, text } = place;
  const spot = { at: Y.createRelativePositionFromTypeIndex(text, at, -1) };
  const jobs = files.map((file): Job => ({ id: (last += 1), spot, file, name: file.name || `image.${file.type.split("/")[1] ?? "png"}` }));
  view.dispatch({ effects: jobs.map(({ id, name }) => begun.of({ id, at, name })) });
  const underway: Promise<Attached | null>[] = [];
  for (const [number, job] of jobs.entries()) underway.push(Promise.all(underway.slice(Math.max(0, number - AT_ONCE), Math.max(0, number - AT_ONCE + 1))).then(() => upload(place, job)));
  for (const [number, attached] of underway.entries()) {
    const job = jobs[number] as Job;
    const found = await attached;
    if (found !== null) insert(place, job, found, number > 0);
    view.dispatch({ effects: ended.of(job.id) });
  }
}

/** What it became; null when it could not be, which is told, with a way to try again. */
async function upload(place: Place, { id, file, name }: Job): Promise<Attached | null> {
  try {
    return await attach(place.path, name, file, (sent) => Waiting.tell(id, Math.floor((100 * sent) / Math.max(1, file.size))));
  } catch (error) {
    failed(error, name, () => void take(place, [file], placeOf(place.view, id) ?? place.view.state.selection.main.to));
    return null;
  }
}

function insert(place: Place, { id, spot }: Job, { name, reference, type }: Attached, follows: boolean): void {
  // Who may not write any more has the file, and no link to it.
  if (place.readOnly) return;
  const { view, text, undo } = place;
  const words = (follows ? "\n" : "") + (type.startsWith("image/") ? imageOf(reference) : fileLink(name, reference));
  undo.stopCapturing();
  if (view.dom.isConnected) write(view, id, placeOf(view, id) ?? view.state.doc.length, words);
  else writeShared(text, spot, words, undo);
  undo.stopCapturing();
}

function write(view: EditorView, id: number, at: number, words: string): void {
  const here = view.state.selection.main.empty && view.state.selection.main.head === at;
  const effects = placed.of({ id, from: at, to: at + words.length });
  view.dispatch({ changes: { from: at, insert: words }, effects, ...(here && { selection: { anchor: at + words.length } }), userEvent: "input.paste" });
}

/** Into a text whose editor was closed meanwhile, as that of a notebook's cell is when one goes on to the next. */
function writeShared(text: Y.Text, spot: Job["spot"], words: string, origin: Y.UndoManager): void {
  const { doc } = text;
  if (doc === null) return;
  const at = Y.createAbsolutePositionFromRelativePosition(spot.at, doc)?.index ?? text.length;
  doc.transact(() => text.insert(at, words), origin);
  spot.at = Y.createRelativePositionFromTypeIndex(text, at + words.length, -1);
}

function failed(error: unknown, name: string, again: () => void): void {
  const status = error instanceof Problem ? error.status : -1;
  const reasons = { 0: "offline", 403: "forbidden", 413: "large", 415: "type", 507: "full" } as const;
  const reason = reasons[status as keyof typeof reasons] ?? "failed";
  const close = (): void => void unnote("upload");
  const retry = (): void => {
    close();
    again();
  };
  note("upload", { text: t(`editor.upload.${reason}`, { name }), acts: [{ label: t("common.retry"), act: retry }, { label: t("common.close"), act: close }] });
}

/** What of a transfer is to be uploaded: nothing when it is text, which word processors send together with a picture of it. */
export function filesIn(data: DataTransfer | null): File[] {
  if (data === null || data.types.includes("text/plain")) return [];
  return [...data.files].filter(({ size, type }) => size > 0 || type !== "");
}

/** The editor of this place takes files that are pasted or dropped. */
export function taking(place: () => Place): Extension {
  const taken = (event: ClipboardEvent | DragEvent, data: DataTransfer | null, at: number): boolean => {
    const files = place().readOnly ? [] : filesIn(data);
    if (files.length === 0) return false;
    event.preventDefault();
    void take(place(), files, at);
    return true;
  };
  const handlers = EditorView.domEventHandlers({
    paste: (event, { state }) => taken(event, event.clipboardData, state.selection.main.to),
    drop: (event, view) => taken(event, event.dataTransfer, view.posAtCoords({ x: event.clientX, y: event.clientY }, false)),
  });
  return [waiting, handlers];
}

const accepting = new WeakSet<EditorView>();

/** Take files that are pasted or dropped from now on. */
export function accept(place: Place): void {
  if (accepting.has(place.view)) return;
  accepting.add(place.view);
  place.view.dispatch({ effects: StateEffect.appendConfig.of(taking(() => place)) });
}

/** Let the person choose pictures and files of this device, on a phone also its camera. */
export function pick(picked: (files: readonly File[]) => void): void {
  const input = element("input", { type: "file", accept: "image/*,*/*", multiple: true, hidden: true, "data-choose": "image" });
  input.addEventListener("change", () => {
    picked([...(input.files ?? [])]);
    input.remove();
  });
  input.addEventListener("cancel", () => input.remove());
  document.body.append(input);
  input.click();
}

/** Such files into this text, at the caret. */
export function choose(place: Place): void {
  accept(place);
  pick((files) => {
    void take(place, files, place.view.state.selection.main.to);
    place.view.focus();
  });
}
