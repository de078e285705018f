/** One row of Linux's lock_stat (Documentation/locking/lockstat.txt), in core cycles; with the time that interrupts were off. */
export interface LockStatRow {
  name: string;
  /** Contentions in which the lock had last been held by another CPU. */
  conBounces: number;
  /** Acquisitions that had to wait. */
  contentions: number;
  waittimeMin: number;
  waittimeMax: number;
  waittimeTotal: number;
  waittimeAvg: number;
  /** Acquisitions by another CPU than the last one. */
  acqBounces: number;
  acquisitions: number;
  holdtimeMin: number;
  holdtimeMax: number;
  holdtimeTotal: number;
  holdtimeAvg: number;
  /** Longest and total time with interrupts disabled around the lock; 0 for a lock taken with them enabled. */
  irqOffMax: number;
  irqOffTotal: number;
}

/** What happened to a lock, counted as lock_stat does: waiting time of contended acquisitions only. */
export class LockStatistics {
  private lastCpu = -1;
  private readonly row: Omit<LockStatRow, "waittimeAvg" | "holdtimeAvg">;

  constructor(name: string) {
    this.row = { name, ...zero() };
  }

  /** Takes one acquisition: by whom, whether it had to wait, and how long (cycles). */
  acquired(cpu: number, contended: boolean, waited: number): void {
    const r = this.row;
    const bounced = this.lastCpu >= 0 && this.lastCpu !== cpu;
    this.lastCpu = cpu;
    r.acquisitions++;
    if (bounced) r.acqBounces++;
    if (!contended) return;
    if (bounced) r.conBounces++;
    r.contentions++;
    r.waittimeTotal += waited;
    if (waited > r.waittimeMax) r.waittimeMax = waited;
    if (r.contentions === 1 || waited < r.waittimeMin) r.waittimeMin = waited;
  }

  private holds = 0;

  /** Takes the length of one hold (cycles). */
  held(cycles: number): void {
    const r = this.row;
    r.holdtimeTotal += cycles;
    if (cycles > r.holdtimeMax) r.holdtimeMax = cycles;
    if (++this.holds === 1 || cycles < r.holdtimeMin) r.holdtimeMin = cycles;
  }

  /** Takes the time that interrupts were off for one acquisition (cycles). */
  interruptsOff(cycles: number): void {
    this.row.irqOffTotal += cycles;
    if (cycles > this.row.irqOffMax) this.row.irqOffMax = cycles;
  }

  /** Forgets everything so far: the end of a warm-up. */
  reset(): void {
    Object.assign(this.row, zero());
    this.holds = 0;
  }

  /** The columns of lock_stat. */
  columns(): LockStatRow {
    const r = this.row;
    return {
      ...r,
      waittimeAvg: r.contentions > 0 ? r.waittimeTotal / r.contentions : 0,
      holdtimeAvg: this.holds > 0 ? r.holdtimeTotal / this.holds : 0,
    };
  }
}

function zero(): Omit<LockStatRow, "name" | "waittimeAvg" | "holdtimeAvg"> {
  return {
    conBounces: 0,
    contentions: 0,
    waittimeMin: 0,
    waittimeMax: 0,
    waittimeTotal: 0,
    acqBounces: 0,
    acquisitions: 0,
    holdtimeMin: 0,
    holdtimeMax: 0,
    holdtimeTotal: 0,
    irqOffMax: 0,
    irqOffTotal: 0,
  };
}
