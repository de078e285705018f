/**
 * A device's own DMA: a stream of random or sequential reads and writes through link, translation and memory.
 *
 * `runDmaStream` is the fast run on typed arrays; `runDmaStreamReference` is the same model written as one process a packet, which the
 * tests hold it against, packet by packet.
 *
 * Units: bytes, picoseconds inside, nanoseconds and Gb/s in results. Follows the PCIe base specification's packet formats and the
 * measurements whose records data/hardware names.
 */
export * from "./nic/index.js";
export { runDmaStreamReference } from "./reference.js";
export { runDmaStream } from "./run.js";
export type {
  LittleRow,
  StreamConfig,
  StreamDevice,
  StreamFault,
  StreamHost,
  StreamResult,
  StreamTranslation,
} from "./stream.js";
