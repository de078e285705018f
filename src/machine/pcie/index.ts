/**
 * PCI Express links: generation and width, TLP framing, MPS, MRRS, RCB, read tags and posted credits, and what they leave for data.
 * Sizes in bytes, rates in Gb/s, times in picoseconds. The parameters and the numbers they must agree with are records PCIE1 to PCIE5.
 */
export { type DmaDirection, linkGbps, tagsGbps } from "./bandwidth.js";
export {
  ackLimitBytes,
  type LinkConfig,
  type PcieGeneration,
  type PcieWidth,
  payloadSizes,
  pcieLink,
  rawGbps,
  tlpGbps,
  wirePs,
} from "./link.js";
export {
  completionBytes,
  completionOverhead,
  completionsOf,
  dataCredits,
  type Piece,
  postedWrites,
  readRequestBytes,
  readRequests,
  writeOverhead,
} from "./tlp.js";
export { PostedCredits, WireDirection } from "./wire.js";
