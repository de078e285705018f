const window = 1 << 16;

/**
 * The most requests that were mapped at a time. That several maps are one request is known only from their unmap, so the count lags 65,536
 * steps behind: a scatter list unmapped within them counts once, one that lives longer counts as its maps.
 */
export class PeakLive {
  private readonly delta = new Int8Array(window);
  private readonly steps = new Float64Array(window);
  private readonly owner = new Float64Array(window).fill(-1);
  private step = 0;
  private live = 0;
  most = 0;

  map(map: number): void {
    this.steps[map % window] = this.step;
    this.owner[map % window] = map;
    this.push(1);
  }

  /** @param ended the map events that an unmap ends */
  unmap(ended: readonly number[], first: number): void {
    let off = 1;
    for (const map of ended) {
      if (map === first) continue;
      const step = this.steps[map % window];
      if (this.owner[map % window] === map && step > this.step - window) this.delta[step % window] = 0;
      else off++;
    }
    this.push(-1);
    this.live -= off - 1;
  }

  /** These are one request that is still mapped: within reach it counts once. */
  open(maps: readonly number[]): void {
    const first = Math.min(...maps);
    for (const map of maps) {
      const step = this.steps[map % window];
      if (map !== first && this.owner[map % window] === map && step >= this.step - window)
        this.delta[step % window] = 0;
    }
  }

  /** A step that changes nothing. */
  other(): void {
    this.push(0);
  }

  /** Everything has been counted. */
  finish(): void {
    for (let i = 0; i < window; i++) this.push(0);
  }

  private push(delta: number): void {
    const at = this.step % window;
    if (this.step >= window) {
      this.live += this.delta[at];
      if (this.live > this.most) this.most = this.live;
    }
    this.delta[at] = delta;
    this.step++;
  }
}
