import { type LinkConfig, psAt, tlpGbps } from "./link.js";

/** One direction of a link as a resource: packets leave one after another, in the order in which they were handed over. */
export class WireDirection {
  /** When the wire is free again, in picoseconds. */
  freePs = 0;
  /** How long it has been busy, in picoseconds. */
  busyPs = 0;
  /** Packets sent. */
  packets = 0;
  private readonly gbps: number;

  constructor(link: LinkConfig) {
    this.gbps = tlpGbps(link);
  }

  /** Queues a packet (or a run of packets) of this many bytes, and returns when its last bit has left, in picoseconds. */
  send(nowPs: number, bytes: number): number {
    const duration = psAt(this.gbps, bytes);
    const start = nowPs > this.freePs ? nowPs : this.freePs;
    this.freePs = start + duration;
    this.busyPs += duration;
    this.packets += 1;
    return this.freePs;
  }
}

/** The receiver's buffer for posted writes, as the sender sees it: header credits and data credits of 16 bytes. */
export class PostedCredits {
  private headers: number;
  private data: number;

  /** @throws RangeError when there is not one credit of each kind. */
  constructor(
    readonly headerLimit: number,
    readonly dataLimit: number,
  ) {
    if (!(headerLimit >= 1)) throw new RangeError(`headerLimit: ${headerLimit} posted header credits; at least 1`);
    if (!(dataLimit >= 1)) throw new RangeError(`dataLimit: ${dataLimit} posted data credits; at least 1`);
    this.headers = headerLimit;
    this.data = dataLimit;
  }

  /** Takes the credits of a write of so many data credits, or returns false and takes nothing. */
  take(dataCredits: number): boolean {
    if (this.headers < 1 || this.data < dataCredits) return false;
    this.headers -= 1;
    this.data -= dataCredits;
    return true;
  }

  /** Gives the credits of a write back. */
  give(dataCredits: number): void {
    this.headers += 1;
    this.data += dataCredits;
    if (this.headers > this.headerLimit || this.data > this.dataLimit) {
      throw new Error("posted credits: more were given back than were taken");
    }
  }

  /** Header credits in use. */
  get headersInUse(): number {
    return this.headerLimit - this.headers;
  }
}
