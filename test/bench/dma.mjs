// The lock-contention simulation: seconds a point at quick fidelity, and a full one (16 cores, 200 threads, 32 k static maps, 200,000
// transactions). Times depend on the machine; the ratio to the same transactions without IOMMU does not.
// Usage: npm run bench:dma [-- quick]
import { Facts } from "../../dist/facts/index.js";
import { hostRunDefaults, simulateHost } from "../../dist/host/index.js";

const published = Facts.published();

const timed = (run) => {
  const start = performance.now();
  const result = simulateHost({ ...hostRunDefaults(published), ...run }, published);
  return { seconds: (performance.now() - start) / 1000, ...result };
};

const show = (name, { seconds, events, transactions }) =>
  console.log(
    `${name.padEnd(34)} ${seconds.toFixed(2).padStart(7)} s  ${((seconds * 1e6) / transactions).toFixed(0).padStart(6)} µs a transaction  ${(events / seconds / 1e6).toFixed(2)} M events/s`,
  );

timed({ variant: "off", warmup: 100, transactions: 400 });
for (const variant of ["off", "deferred", "strict", "magazines-strict"])
  show(`quick, ${variant}`, timed({ variant, warmup: 400, transactions: 1200 }));
if (process.argv[2] !== "quick")
  for (const variant of ["off", "deferred"])
    show(`full, ${variant}`, timed({ variant, warmup: 10_000, transactions: 190_000 }));
