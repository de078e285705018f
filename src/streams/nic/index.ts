/**
 * A network card at work beside the cores that map and unmap for it: on their clock, through the real translation hardware.
 * Rings are hot and long-lived, buffers are used once.
 */
export { type NicConfig, type NicCounts, type NicDriver, wireBytes } from "./config.js";
export { Fifo } from "./fifo.js";
export { Nic, type QueueRings } from "./nic.js";
export { type PortCounts, TranslationPort } from "./translation-port.js";
