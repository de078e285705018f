// `npm run bench:pages`: simulated DMA transfers a second on one core, for 64-byte random reads over 4K pages where every read misses
// the IOTLB, beside the same model on the engine's event queue, and a 4K DMA over a terabyte. Processor time, not the clock on the wall.
import { pageHost, parallelism, streamOf } from "iommu-lab/experiments";
import { runDmaStream, runDmaStreamReference } from "iommu-lab/streams";

const { tags, walkers } = parallelism();
const config = (packets, overrides = {}) =>
  streamOf(pageHost("hsw"), {
    page: "4K",
    direction: "read",
    dmaBytes: 64,
    windowBytes: 64 * 1024 * 1024,
    memoryBytes: 1024 * 1024 * 1024,
    devices: 1,
    tags: tags.value,
    walkers: walkers.value,
    pattern: "random",
    warmth: "device",
    packets,
    seed: 1,
    ...overrides,
  });

/** Million transfers a second of processor time: the best of some runs. */
function speed(run, stream, runs = 5) {
  let best = 0;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    run(stream);
    const used = process.cpuUsage(before);
    best = Math.max(best, (stream.transfers + stream.warmup) / (used.user + used.system));
  }
  return best;
}

const fast = speed(runDmaStream, config(400_000));
const readable = speed(runDmaStreamReference, config(100_000), 3);
const free = speed(runDmaStream, config(400_000, { page: "off" }));
const terabyte = { windowBytes: 2 ** 40, memoryBytes: 2 ** 40, warmth: "cold", tags: 256, generation: 3, width: 16 };
const line = (what, value) => console.log(`${what.padEnd(62)} ${value}`);
line("64-byte random reads, 4K pages, all miss (goal 0.5, stretch 2)", `${fast.toFixed(2)} M transfers/s`);
line("the same, IOMMU off", `${free.toFixed(2)} M transfers/s`);
line(
  "the same, all miss, on the event queue",
  `${readable.toFixed(2)} M transfers/s (${(fast / readable).toFixed(1)} × the time)`,
);
line(
  "64-byte reads, 4K pages over 1 TiB, x16, 256 tags",
  `${speed(runDmaStream, config(200_000, terabyte)).toFixed(2)} M transfers/s`,
);
