import type { ReuseDistance } from "./reuse.js";

const fewest = 1 << 10;
const longest = 1 << 20;

/**
 * The order of requests, where a recording holds map events: which of them are further parts of a request, their unmap tells. So the counts lag up to
 * 1,048,576 steps behind. A scatter list that is unmapped within them counts once; one that lives longer counts as its map events.
 */
export class SettledRequests {
  // By step, in a ring that grows to its length: by how much it changes the number of requests, and whose address it names.
  private changes = new Int32Array(fewest);
  private devices = new Int32Array(fewest);
  private pfns = new Float64Array(fewest);
  private steps = 0;
  private live = 0;
  /** The most requests that were mapped at a time. */
  most = 0;

  /** @param reuse hears of each request's map and unmap */
  constructor(private readonly reuse: ReuseDistance) {}

  /** A map event. @returns the number of the step */
  map(device: number, pfn: number): number {
    return this.push(1, device, pfn);
  }

  /**
   * A request is unmapped.
   * @param pfn its lowest page; −1 where the unmap was lost
   * @param first the step of its first map event, and
   * @param further those of its further parts
   */
  unmap(device: number, pfn: number, first: number, further: readonly number[]): void {
    if (pfn >= 0 && this.isHeld(first)) this.pfns[first % this.changes.length] = pfn;
    this.push(-1 - this.join(further), device, pfn);
  }

  /** These map events are further parts of a request. @returns how many of them are counted already */
  join(further: readonly number[]): number {
    let counted = 0;
    for (const step of further) {
      if (this.isHeld(step)) this.changes[step % this.changes.length] = 0;
      else counted++;
    }
    return counted;
  }

  /** Everything has been told. */
  finish(): void {
    for (let step = Math.max(0, this.steps - this.changes.length); step < this.steps; step++) this.settle(step);
  }

  private isHeld(step: number): boolean {
    return step >= this.steps - this.changes.length;
  }

  private push(change: number, device: number, pfn: number): number {
    const step = this.steps++;
    if (step >= this.changes.length && this.changes.length < longest) this.grow();
    if (step >= this.changes.length) this.settle(step - this.changes.length);
    const at = step % this.changes.length;
    this.changes[at] = change;
    this.devices[at] = device;
    this.pfns[at] = pfn;
    return step;
  }

  private settle(step: number): void {
    const at = step % this.changes.length;
    const change = this.changes[at];
    if (change > 0) this.reuse.map(this.devices[at], this.pfns[at]);
    else if (change < 0 && this.pfns[at] >= 0) this.reuse.unmap(this.devices[at], this.pfns[at]);
    this.live += change;
    if (this.live > this.most) this.most = this.live;
  }

  /** Nothing has left the ring yet: each step's place is its number. */
  private grow(): void {
    const { changes, devices, pfns } = this;
    this.changes = new Int32Array(2 * changes.length);
    this.changes.set(changes);
    this.devices = new Int32Array(2 * devices.length);
    this.devices.set(devices);
    this.pfns = new Float64Array(2 * pfns.length);
    this.pfns.set(pfns);
  }
}
