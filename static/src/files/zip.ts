/** An archive in the ZIP format (APPNOTE 6.3.10), without compression: it is made in the browser, of files that are there already. */

export interface Packed {
  /** A path with slashes. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly modified: Date;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Names are UTF-8. */
const FLAGS = 0x0800;
const VERSION = 20;

/** How many bytes each field has: signatures, sizes and times in the order of the specification. */
type Field = readonly [value: number, width: 2 | 4];

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of ZIP and PNG (ISO 3309). */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** The parts of an archive of these files. */
export function zip(files: readonly Packed[]): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, bytes, modified } of files) {
    const title = new TextEncoder().encode(name);
    const common = described(bytes, modified, title.length);
    const head = packed([[LOCAL, 4], [VERSION, 2], ...common]);
    directory.push(packed([[CENTRAL, 4], [VERSION, 2], [VERSION, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]), title);
    parts.push(head, title, bytes);
    offset += head.length + title.length + bytes.length;
  }
  const length = directory.reduce((sum, each) => sum + each.length, 0);
  const count: Field = [files.length, 2];
  const end = packed([[END, 4], [0, 2], [0, 2], count, count, [length, 4], [offset, 4], [0, 2]]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

function described(bytes: Uint8Array, modified: Date, name: number): Field[] {
  const { time, date } = dosTime(modified);
  return [[FLAGS, 2], [0, 2], [time, 2], [date, 2], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [name, 2], [0, 2]];
}

/** Seconds by two, and years from 1980 on. */
function dosTime(at: Date): { time: number; date: number } {
  const year = Math.min(Math.max(at.getFullYear() - 1980, 0), 127);
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return { time, date: (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate() };
}

function packed(fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}
