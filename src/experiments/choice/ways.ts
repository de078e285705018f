/** How far a device is trusted: it may see everything; its faults must do no harm for longer than a few milliseconds; or it may be an attacker. */
export const trusts = ["own", "guarded", "hostile"] as const;
/** How far a device is trusted: "own", "guarded" or "hostile". */
export type Trust = (typeof trusts)[number];

/** Which buffers come back to the same device: none, those it receives into, or all of them. */
export const reuses = ["none", "receive", "all"] as const;
/** Which buffers come back to the same device: "none", "receive" or "all". */
export type Reuse = (typeof reuses)[number];

/** A way of mapping: one that a driver or its administrator can choose today, or one that Linux would first have to get. */
export interface Way {
  name: string;
  /** The same, as short as a cell of the table. */
  short: string;
  /** Variant of src/dma. */
  variant: string;
  /** Share of the packets whose buffers stay mapped: all of them, those that are received, or none. */
  stays: number;
  /** Buffers of a request in one range: with the two-step API, or as a scatter list. */
  together?: true;
  /** What the device reaches beyond the buffers under way. */
  reach: string;
  /** How safe it is, for a choice between ways that are equally fast: more is safer. */
  safety: number;
  /** False: Linux has it not. The table then leaves it out unless it is asked for. */
  inLinux?: false;
  /** Whether a device's trust and the reuse of its buffers allow it. */
  suits(trust: Trust, reuse: Reuse): boolean;
}

const trusted = (trust: Trust): boolean => trust !== "hostile";

/** The ways, from the most open to the safest. */
export const ways: readonly Way[] = [
  {
    name: "pass-through",
    short: "pass",
    variant: "pass-through",
    stays: 0,
    reach: "all memory, always",
    safety: 0,
    suits: (trust) => trust === "own",
  },
  {
    name: "2M pool",
    short: "2M pool",
    variant: "v6.18-strict",
    stays: 1,
    reach: "its pool, always",
    safety: 2,
    suits: (trust, reuse) => trusted(trust) && reuse === "all",
  },
  {
    name: "lazy",
    short: "lazy",
    variant: "v6.18-lazy",
    stays: 0,
    reach: "unmapped pages, to 11 ms",
    safety: 1,
    suits: trusted,
  },
  {
    name: "page_pool, lazy",
    short: "pool, lazy",
    variant: "v6.18-lazy",
    stays: 0.5,
    reach: "its pool, always; sent pages, to 11 ms",
    safety: 1,
    suits: (trust, reuse) => trusted(trust) && reuse !== "none",
  },
  {
    name: "page_pool, strict",
    short: "pool, strict",
    variant: "v6.18-strict",
    stays: 0.5,
    reach: "its pool, always",
    safety: 2,
    suits: (trust, reuse) => trusted(trust) && reuse !== "none",
  },
  {
    name: "strict",
    short: "strict",
    variant: "v6.18-strict",
    stays: 0,
    reach: "nothing",
    safety: 4,
    suits: () => true,
  },
  {
    name: "two-step, strict",
    short: "two-step",
    variant: "v6.18-strict",
    stays: 0,
    together: true,
    reach: "nothing",
    safety: 4,
    suits: () => true,
  },
  {
    name: "bounce",
    short: "bounce",
    variant: "v6.18-bounce",
    stays: 0,
    reach: "its pool of copies",
    safety: 3,
    // 6.18's DMA layer has no pool that stays mapped: its swiotlb copies a buffer and then maps and invalidates it, too. A series of 2021 with
    // such a pool was not merged (record MS33).
    inLinux: false,
    suits: () => true,
  },
];

/** A way by its name. */
export const wayNamed = (name: string): Way => ways.find((way) => way.name === name) as Way;
