// `npm run bench:flushing`: DMA transfers a second of processor time of the coupled run, in which a card works beside the cores that map
// and unmap for it. In turns with the same card on a host without an IOMMU, whose ratio says what the host's maps and invalidations cost.
import { flushing } from "iommu-lab/experiments";
import { basisOf, Facts } from "iommu-lab/facts";
import { simulatePackets } from "iommu-lab/host";

const facts = Facts.published();
const basis = basisOf(facts);
const packets = 40_000;
const runOf = (variant, ats, gbps) => {
  const settings = { variants: [variant], ats: [ats], gbps: [gbps], cores: [8], replications: 1 };
  const [{ run }] = flushing.points(flushing.parse(settings), basis);
  return { ...run, warmup: 1000, packets };
};
const subjects = [
  ["off, 40 Gb/s", runOf("off", false, 40)],
  ["domain flushed, 40 Gb/s (goal 0.3)", runOf("flush-domain", false, 40)],
  ["domain flushed, ATS, 40 Gb/s (goal 0.3)", runOf("flush-domain", true, 40)],
  ["joined ranges, 40 Gb/s", runOf("flush-ranges", false, 40)],
];
const best = new Map();
for (let turn = 0; turn < 4; turn++)
  for (const [name, run] of subjects) {
    const before = process.cpuUsage();
    const { nic } = simulatePackets(run, facts);
    const used = process.cpuUsage(before);
    const transfers = nic.ringTransfers + nic.bufferTransfers + nic.translationRequests;
    best.set(name, Math.max(best.get(name) ?? 0, transfers / (used.user + used.system)));
  }
const off = best.get(subjects[0][0]);
for (const [name, speed] of best)
  console.log(`${name.padEnd(44)} ${speed.toFixed(2)} M transfers/s, ${(speed / off).toFixed(2)} of off`);
