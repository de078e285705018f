import { blankStep, Ends, type OpenRequest, type RecordedStep, type RecordingEnd, type StepSink } from "./steps.js";
import { Op, type TraceAbout } from "./trace.js";

/**
 * Passes on a part of a recording: the steps from `skip` on, at most `limit` of them. What is mapped when the part begins is mapped at its
 * beginning, so that its unmaps end something; what the part leaves mapped stays so.
 */
export class TraceWindow implements StepSink {
  private readonly held = new Map<number, RecordedStep>();
  private readonly numbers = new Map<number, number>();
  private seen = 0;
  private kept = 0;
  private maps = 0;
  private live = 0;
  private begun = false;
  /** Requests of several map events that are unmapped only after the part. */
  private readonly later: OpenRequest[] = [];
  /** Maps that the part begins with. */
  private prelude = 0;

  constructor(
    private readonly sink: StepSink,
    private readonly skip: number,
    private readonly limit: number,
  ) {}

  /** Whether the part is the whole. */
  get complete(): boolean {
    return this.skip === 0 && this.seen <= this.limit;
  }

  /** Which part it is, as a sentence. */
  get caveat(): string {
    return `This is a part of the recording: steps ${this.skip} to ${Math.min(this.seen, this.skip + this.limit)} of ${this.seen}, and what was mapped before them.`;
  }

  header(about: TraceAbout): void {
    this.sink.header?.(about);
  }

  /** Takes the next step. */
  step(step: RecordedStep): void {
    this.seen++;
    if (this.seen <= this.skip) this.hold(step);
    else if (this.kept < this.limit) this.pass(step);
    else if (step.op !== Op.map && step.ends !== Ends.part) this.after(step);
  }

  /** The recording ends. */
  end(end: RecordingEnd): void {
    if (!this.begun) this.begin(0);
    const superseded = end.superseded.flatMap(([lost, by]): [number, number][] => {
      const numbers = [this.numbers.get(lost), this.numbers.get(by)];
      return numbers[0] === undefined || numbers[1] === undefined ? [] : [[numbers[0], numbers[1]]];
    });
    const phases = end.phases.map((phase) => ({
      ...phase,
      firstOp: phase.firstOp <= this.skip ? 0 : this.prelude + Math.min(phase.firstOp - this.skip, this.kept),
    }));
    const open = [...this.later, ...end.open.flatMap((request) => this.within(request))];
    const parts = open.reduce((sum, { maps }) => sum + maps.length - 1, 0);
    this.sink.end({ ...end, superseded, open, phases, live: this.live - superseded.length - parts });
  }

  /** What ends after the part was one request in it. */
  private after({ device, ended }: RecordedStep): void {
    this.later.push(...this.within({ device, maps: ended }));
    for (const map of ended) this.numbers.delete(map);
  }

  /** A request's map events that are in the part, by their numbers there; none where that is one alone. */
  private within({ device, maps }: OpenRequest): OpenRequest[] {
    const inside = maps.flatMap((map) => this.numbers.get(map) ?? []);
    return inside.length > 1 ? [{ device, maps: inside }] : [];
  }

  private hold(step: RecordedStep): void {
    if (step.op === Op.map) this.held.set(step.map, Object.assign(blankStep(), step, { ended: [] }));
    else if (step.ends !== Ends.part) for (const map of step.ended) this.held.delete(map);
  }

  private begin(timeNs: number): void {
    this.begun = true;
    for (const step of this.held.values()) this.send({ ...step, timeNs });
    this.prelude = this.maps;
    this.held.clear();
  }

  private pass(step: RecordedStep): void {
    if (!this.begun) this.begin(this.skip === 0 ? 0 : step.timeNs);
    this.kept++;
    this.send(step);
  }

  private send(step: RecordedStep): void {
    if (step.op === Op.map) {
      this.numbers.set(step.map, this.maps);
      this.live++;
      this.sink.step(Object.assign(blankStep(), step, { map: this.maps++ }));
      return;
    }
    const ended = step.ended.map((map) => this.numbers.get(map) ?? -1).filter((map) => map >= 0);
    if (ended.length === 0) return;
    const map = this.numbers.get(step.map) ?? ended[0];
    if (step.ends !== Ends.part) {
      this.live -= ended.length;
      for (const one of step.ended) this.numbers.delete(one);
    }
    this.sink.step(Object.assign(blankStep(), step, { ended, map }));
  }
}
