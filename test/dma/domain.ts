import { DmaApi, type DmaCosts, dmaCosts, type Segment, variant } from "../../src/dma/index.js";
import { type Behaviour, Processes, Simulation, Streams } from "../../src/engine/index.js";
import { Machine, machineConfig, makeLock } from "../../src/machine/index.js";
import { published } from "../support/facts.js";

export const config = machineConfig(published, "sandy-bridge-ep");

/** A domain, on two cores unless said otherwise: calls are made by hand and run to their end; where one was mapped stands in `mapped`. */
export function domain(
  name: string,
  change: { ats?: boolean; coherent?: boolean; deviceBits?: number; cores?: number; costs?: Partial<DmaCosts> } = {},
) {
  const { cores = 2 } = change;
  const machine = new Machine(config);
  const simulation = new Simulation();
  const arbiter = new Streams(1).stream("arbiter");
  const processes = new Processes(simulation);
  const mapped = Array<number>(cores).fill(-1);
  const api: DmaApi = new DmaApi(
    machine,
    processes,
    {
      variant: variant(name),
      cores,
      costs: { ...dmaCosts(published, config), ...change.costs },
      makeLock: (lock, address, irqSave) =>
        makeLock("ticket", machine, simulation, {
          name: lock,
          irqSave,
          arbiter,
          ...(address === undefined ? {} : { address }),
        }),
      ats: change.ats ?? false,
      coherent: change.coherent ?? true,
      flushEntries: 8,
      flushTimerCycles: 29_000_000,
      tickCycles: 2_900_000,
      deviceBits: change.deviceBits ?? 64,
      maxRanges: 4096,
    },
    { dmaTimer: (core) => processes.begin("timer", () => api.flush(core)) },
  );
  /** Runs a core's call to its end; returns its cycles. */
  const call = (program: () => Behaviour): number => {
    const start = simulation.now;
    const process = processes.begin("call", program);
    while (!process.ended) if (simulation.run({ maxEvents: 1 }).events === 0) throw new Error("nothing left to do");
    return simulation.now - start;
  };
  const map = (core: number, frame: number, pages: number) =>
    call(function* () {
      mapped[core] = yield* api.map(core, frame, pages, 3);
    });
  const mapList = (core: number, list: Segment[]) =>
    call(function* () {
      mapped[core] = yield* api.mapList(core, list, 3);
    });
  const unmap = (core: number, pfn: number, pages: number) => call(() => api.unmap(core, pfn, pages));
  const unmapList = (core: number, pfn: number, list: Segment[]) => call(() => api.unmapList(core, pfn, list));
  return { api, simulation, processes, mapped, map, mapList, unmap, unmapList };
}
