import { Streams } from "../engine/index.js";

/** Where the DMAs of one device go: multiples of their size from the start of a window, in order or at random. */
export class DmaAddresses {
  private readonly places: number;
  private next = 0;
  private readonly draw: () => number;

  /**
   * @param name the device's name: its random stream depends on the seed and this name alone
   * @throws RangeError when the window does not hold one DMA
   */
  constructor(
    private readonly start: number,
    windowBytes: number,
    private readonly bytes: number,
    private readonly pattern: "random" | "sequential",
    seed: number,
    name: string,
  ) {
    this.places = Math.floor(windowBytes / bytes);
    if (this.places < 1) throw new RangeError(`windowBytes: ${windowBytes} does not hold one DMA of ${bytes} bytes`);
    const stream = new Streams(seed).stream(`dma addresses of ${name}`);
    // One 32-bit draw is enough below 2^24 places (its bias is below 2^-8 of a place's share); beyond, 53 bits.
    this.draw = this.places < 16_777_216 ? () => stream.uint32() / 4_294_967_296 : () => stream.uniform();
  }

  /** The address of the next DMA. */
  take(): number {
    if (this.pattern === "sequential") {
      const place = this.next;
      this.next = place + 1 === this.places ? 0 : place + 1;
      return this.start + place * this.bytes;
    }
    return this.start + Math.floor(this.draw() * this.places) * this.bytes;
  }
}
