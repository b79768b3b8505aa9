/** Versions, and which of them one looks for among many. */

export interface Writer {
  /** "" for who was erased. */
  id: string;
  name: string;
  /** `#rrggbb`, or "". */
  color: string;
}

export interface Version {
  readonly number: number;
  /** RFC 3339. */
  readonly at: string;
  readonly size: number;
  readonly etag: string;
  readonly source: "first" | "save" | "outside" | "restore" | "replaced";
  readonly writers: readonly Writer[];
  readonly name: string;
}

/** Milliseconds without a save after which a new sitting begins. */
const PAUSE = 5 * 60_000;

/**
 * What one looks for among many: the last version of each sitting, and all that say something of themselves. `versions` ascend; those
 * of `keep` stay too.
 */
export function condensed(versions: readonly Version[], keep: ReadonlySet<number> = new Set()): Version[] {
  return versions.filter((version, at) => {
    const next = versions[at + 1];
    if (next === undefined || version.name !== "" || keep.has(version.number)) return true;
    if (version.source !== "save" || next.source !== "save") return true;
    return Date.parse(next.at) - Date.parse(version.at) > PAUSE || day(next) !== day(version);
  });
}

/** The day in the person's own zone. */
export const day = ({ at }: Pick<Version, "at">): string => new Date(at).toDateString();

/** One list of both, ascending; what is told anew counts. */
export function joined(known: readonly Version[], told: readonly Version[]): Version[] {
  const found = new Map(known.map((version) => [version.number, version]));
  for (const version of told) found.set(version.number, version);
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/** The newest that is not newer than this number, else the oldest; `versions` ascend. */
export function nearest(versions: readonly Version[], number: number): Version | undefined {
  return versions.findLast((version) => version.number <= number) ?? versions[0];
}
