/** Server-sent events that carry messages in base64, as they arrive in pieces. */

const bytes = (text: string): ArrayBuffer => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;

export class Events {
  /** The number of the last event that came. */
  last = 0;
  private text = "";
  private decoder = new TextDecoder();

  constructor(
    private readonly message: (data: ArrayBuffer) => void,
    private readonly closed: (code: number, reason: string) => void,
  ) {}

  /** Another answer begins: what was cut in the middle comes again. */
  begin(): void {
    this.text = "";
    this.decoder = new TextDecoder();
  }

  feed(piece: Uint8Array): void {
    this.text += this.decoder.decode(piece, { stream: true });
    const events = this.text.split("\n\n");
    this.text = events.pop() ?? "";
    for (const event of events) this.take(event);
  }

  private take(event: string): void {
    const fields = new Map(event.split("\n").map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    const id = Number(fields.get("id") ?? 0);
    // Comments have no number; what came already is not taken twice.
    if (id !== this.last + 1) return;
    this.last = id;
    const data = fields.get("data") ?? "";
    if (fields.get("event") !== "close") return this.message(bytes(data));
    const { code, reason } = JSON.parse(data) as { code: number; reason: string };
    this.closed(code, reason);
  }
}
