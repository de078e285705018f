import { TraceError } from "../trace.js";

/**
 * Timestamps as they are written, to ns from the first of them: seconds with decimals, or a counter's integers.
 * Whole seconds and decimals are kept apart, and the first timestamp is subtracted before scaling, so that no nanosecond is lost to rounding.
 */
export class Clock {
  private integer: boolean | undefined;
  private originSeconds = 0;
  private originNs = 0;
  private originCount = 0n;

  constructor(private readonly mhz: number | undefined) {}

  /** The time in ns; NaN for a timestamp of the other kind, or too far from the first for whole ns. @throws TraceError for a counter of unknown frequency */
  ns(stamp: string): number {
    const point = stamp.indexOf(".");
    const integer = point < 0;
    if (this.integer === undefined) this.begin(stamp, point);
    if (integer !== this.integer) return Number.NaN;
    if (integer) {
      const ticks = Number(BigInt(stamp) - this.originCount);
      return whole(Math.round((ticks * 1000) / this.mhz!));
    }
    return whole(
      (Number(stamp.slice(0, point)) - this.originSeconds) * 1e9 + nanoseconds(stamp, point) - this.originNs,
    );
  }

  /** In words. */
  get name(): string {
    return this.integer ? `a counter of ${this.mhz} MHz` : "the trace clock, in seconds with decimals";
  }

  private begin(stamp: string, point: number): void {
    this.integer = point < 0;
    if (this.integer) {
      if (this.mhz === undefined)
        throw new TraceError(
          "has a counter value as its timestamp (trace clock x86-tsc, say); give the counter's frequency in MHz (clockMhz, --clock-mhz), 1000 where it counts nanoseconds (clock mono or boot without decimals)",
        );
      this.originCount = BigInt(stamp);
    } else {
      this.originSeconds = Number(stamp.slice(0, point));
      this.originNs = nanoseconds(stamp, point);
    }
  }
}

const whole = (ns: number): number => (Number.isSafeInteger(ns) ? ns : Number.NaN);

function nanoseconds(stamp: string, point: number): number {
  const decimals = stamp.length - point - 1;
  if (decimals === 6) return Number(stamp.slice(point + 1)) * 1000;
  return Number(stamp.slice(point + 1, point + 10).padEnd(9, "0"));
}
