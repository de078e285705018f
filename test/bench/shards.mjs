// What keeping a sweep's points costs, with 100,000 of them: planning, writing them down one by one as a shard does, then its status and the
// gathering of all rows, each in this process; and `iommu-lab sweep FOLDER --status` as a command.
// Usage: npm run bench:shards [-- POINTS]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gather, readWork, sweepStatus, takeFolder, Version } from "iommu-lab/sweep";
import { planOf } from "../../dist/sweep/shards/plan.js";
import { SegmentWriter } from "../../dist/sweep/shards/segment.js";
import { look, remember } from "./repeat.mjs";

const points = Number(process.argv[2] ?? 100_000);
const machine = await look();
const folder = mkdtempSync(join(tmpdir(), "shards-bench-"));
const seconds = (began) => (performance.now() - began) / 1000;
try {
  // Two points a configuration, rows of some 1.8 kB a point, in four shards.
  const file = JSON.stringify({
    experiment: "machine-locks",
    base: { cores: [1, 2] },
    space: { thinkCycles: { low: 1000, high: 9_000_000, whole: true } },
    samples: points / 2,
  });
  writeFileSync(join(folder, "file.json"), file);
  const out = join(folder, "out");
  const cpu = process.cpuUsage();
  let began = performance.now();
  const work = readWork(file, "file.json");
  const version = new Version();
  takeFolder(out, work);
  const plan = planOf(out, work, version.code);
  const planned = seconds(began);
  const { experiment } = work;
  const rows = experiment.simulate(plan.point(plan.points[0]));
  const reads = version.contentsOf(["hardware/sandy-bridge-ep"]);
  began = performance.now();
  for (let index = 1; index <= 4; index++) {
    const writer = new SegmentWriter(out, {
      shard: { index, count: 4 },
      jobs: 1,
      code: version.code,
      data: version.data,
    });
    for (const [i, hash] of plan.points.entries()) if (i % 4 === index - 1) writer.point(hash, rows, reads, 1);
    writer.end("done");
    writer.close();
  }
  const written = seconds(began);
  began = performance.now();
  const again = planOf(out, readWork(file, "file.json"), version.code);
  const reread = seconds(began);
  began = performance.now();
  const { done } = sweepStatus(out, work, version);
  const asked = seconds(began);
  began = performance.now();
  const gathered = gather(out, work, version);
  const collected = seconds(began);
  const { user, system } = process.cpuUsage(cpu);
  began = performance.now();
  const command = spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", "sweep", out, "--status"], {
    encoding: "utf8",
  });
  const whole = seconds(began);
  const bytes = readdirSync(join(out, "shards")).reduce(
    (sum, name) => sum + statSync(join(out, "shards", name)).size,
    0,
  );
  const n = plan.points.length;
  if (done !== n || gathered.missing.length > 0 || again.points.length !== n || !command.stdout.includes(`${n} done`))
    throw new Error(`${done} of ${n} points are there; ${command.stdout}${command.stderr}`);
  console.log(`${n.toLocaleString("en")} points, ${(bytes / n).toFixed(0)} bytes each (${machine.text})`);
  const each = (s) => `${s.toFixed(2).padStart(7)} s  ${((1000 * s) / n).toFixed(3)} ms a point`;
  console.log(`plan, once a folder      ${each(planned)}`);
  console.log(`plan, each later process ${each(reread)}`);
  console.log(`write                    ${each(written)}`);
  console.log(`gather                   ${each(collected)}`);
  console.log(`status, in this process  ${asked.toFixed(2).padStart(7)} s`);
  console.log(`--status, the command    ${whole.toFixed(2).padStart(7)} s`);
  const cost = (1000 * (planned + written + collected)) / n;
  console.log(
    `${cost.toFixed(2)} ms a point (goal: 5), --status ${whole.toFixed(2)} s (goal: 2); CPU without the command ${((user + system) / 1e6).toFixed(1)} s${machine.tooBusy ? "  BUSY" : ""}`,
  );
  remember({
    bench: "shards",
    points: n,
    millisecondsAPoint: cost,
    statusSeconds: whole,
    busy: machine.busy,
    load: machine.load,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
