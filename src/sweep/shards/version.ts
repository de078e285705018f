import { Facts } from "../../facts/index.js";
import { pointCode } from "../code.js";
import { Contents, short } from "../contents.js";
import type { Segment } from "./segments.js";

/** The code and the data that points follow from, as they are here and now. */
export class Version {
  readonly data: string;
  private readonly contents = new Contents();
  private readonly judged = new Map<string, boolean>();

  /**
   * @param code names the code that computes points (default: as it is built now)
   * @param accepted versions, as {@link label} names them, whose points count as this one's
   */
  constructor(
    readonly code: string = pointCode(),
    private readonly accepted: readonly string[] = [],
    readonly facts: Facts = Facts.published(),
  ) {
    this.data = short(JSON.stringify(facts.files()));
  }

  get label(): string {
    return labelOf(this);
  }

  /** What records and files hold here, by their names. */
  contentsOf(names: Iterable<string>): Record<string, string> {
    return Object.fromEntries([...new Set(names)].sort().map((name) => [name, this.contents.of(name, this.facts)]));
  }

  /** Whether points of a segment with this set of reads are what this version would compute. */
  isOwn(segment: Segment, set: number): boolean {
    const key = `${segment.name} ${set}`;
    const known = this.judged.get(key);
    if (known !== undefined) return known;
    const reads = segment.reads.get(set);
    const own =
      segment.head?.code === this.code &&
      reads !== undefined &&
      Object.entries(reads).every(([name, content]) => this.contents.of(name, this.facts) === content);
    if (reads !== undefined) this.judged.set(key, own);
    return own;
  }

  /** Whether a segment was computed by this version, or by one that is accepted. */
  accepts({ head }: Segment): boolean {
    return head !== undefined && this.accepted.includes(labelOf(head));
  }
}

/** A version in messages: the beginnings of the names of its code and of its data. */
export const labelOf = ({ code, data }: { code: string; data: string }): string =>
  `${code.slice(0, 10)}-${data.slice(0, 6)}`;
