// `npm run bench:kernel`: this kernel, plain tslab, ipykernel and Deno, side by side in one run through Jupyter's own client.
// Deno and tslab are no dependencies: they are installed from npm into scratch folders, on demand. Words: --quick for fewer launches, --profile to say
// instead where the language part's time goes (profile.mjs).
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

if (process.argv.includes("--profile")) {
  await import("./profile.mjs");
  process.exit();
}

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const quick = process.argv.includes("--quick");
const { ensurePythonEnvironment } = await import(join(root, "dist/lab/index.js"));
const python = await ensurePythonEnvironment({ report: (line) => console.error(line) });

/** Installs a package where it is not yet; the path of its program, or undefined (with a word about it) where it cannot be had. */
function fetched(name, version) {
  const folder = join(tmpdir(), `iommu-lab-bench-${name}`);
  const bin = join(folder, "node_modules", ".bin", name);
  if (!existsSync(bin)) {
    console.error(`Fetching ${name} (once) …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{"private":true}');
    spawnSync("npm", ["install", "--no-fund", "--no-audit", `${name}@${version}`], { cwd: folder, stdio: "inherit" });
  }
  const works = spawnSync(bin, ["--version"], { encoding: "utf8" });
  if (works.status === 0) return bin;
  console.error(`${name} could not be had; it is left out. ${works.stderr ?? works.error?.message ?? ""}`);
  return undefined;
}

const scratch = mkdtempSync(join(tmpdir(), "iommu-lab-bench-kernel-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const kernels = {};
function spec(name, language, argv, interrupt_mode) {
  const folder = join(scratch, "kernels", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "kernel.json"), JSON.stringify({ argv, display_name: name, language, interrupt_mode }));
  kernels[name] = language;
}
const file = "{connection_file}";
spec(
  "iommu-lab-here",
  "typescript",
  [process.execPath, join(root, "src/cli/iommu-lab.mjs"), "kernel", "run", file],
  "message",
);
const tslabBin = fetched("tslab", "1.0.22");
if (tslabBin) spec("tslab", "typescript", [tslabBin, "kernel", `--config-path=${file}`], "signal");
spec("ipykernel", "python", [python.python, "-m", "ipykernel_launcher", "-f", file], "signal");
const denoBin = fetched("deno", "2");
if (denoBin) spec("deno", "typescript", [denoBin, "jupyter", "--kernel", "--conn", file], "message");

const folder = join(scratch, "notebooks");
mkdirSync(folder);
const sizes = quick
  ? { launches: 2, cells: 20, interrupts: 3, long: 0 }
  : { launches: 5, cells: 40, interrupts: 20, long: 1000 };
const options = { kernels, folder, ...sizes };
const loadBefore = loadavg()[0];
const child = spawn(python.python, [join(root, "test/bench/kernel/measure.py"), JSON.stringify(options)], {
  cwd: root,
  env: { ...python.env, JUPYTER_PATH: scratch },
  stdio: ["ignore", "pipe", "inherit"],
});
let output = "";
child.stdout.on("data", (chunk) => (output += chunk));
const status = await new Promise((resolve) => child.on("close", resolve));
if (status !== 0) process.exit(1);
const { times: result, long } = JSON.parse(output);

const quantile = (values, q) => {
  const sorted = values.filter((v) => v !== null).sort((a, b) => a - b);
  return sorted.length === 0 ? undefined : sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
};
const show = (ms) => (ms === undefined ? "lost" : ms >= 100 ? ms.toFixed(0) : ms.toFixed(1));
const names = Object.keys(kernels);
const measures = Object.keys(result[names[0]]);
const own = result["iommu-lab-here"];
console.log(
  `\n${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, load ${loadBefore.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after (figures of a load above 1 say little but for their ratios)`,
);
console.log(`\nMedians in ms of ${options.launches} launches each, in turns (p99 in brackets)\n`);
console.log(["", ...names].map((n, i) => (i === 0 ? n.padEnd(24) : n.padStart(20))).join(""));
for (const measure of measures) {
  const cells = names.map((name) => {
    const values = result[name][measure];
    const lost = values.filter((v) => v === null).length;
    return `${show(quantile(values, 0.5))} (${show(quantile(values, 0.99))})${lost ? ` ${lost} lost` : ""}`;
  });
  console.log([measure.padEnd(24), ...cells.map((c) => c.padStart(20))].join(""));
}
const median = (name, measure) => quantile(result[name]?.[measure] ?? [], 0.5);
const goals = [
  ["ready no later than Deno", "start to ready", "deno"],
  ["first result before tslab", "start to first result", "tslab"],
  ["a trivial cell takes at most ipykernel's time", "trivial cell", "ipykernel"],
];
console.log("");
for (const [goal, measure, other] of goals) {
  const ratio = median("iommu-lab-here", measure) / median(other, measure);
  console.log(
    `${Number.isNaN(ratio) ? "not measured" : ratio <= 1 ? "met" : "MISSED"}: ${goal} (ratio ${ratio.toFixed(2)})`,
  );
}
const ratio = median("iommu-lab-here", "declaring cell") / median("iommu-lab-here", "trivial cell");
console.log(
  `${ratio <= 2 ? "met" : "MISSED"}: a declaring cell takes at most twice a trivial one's time (ratio ${ratio.toFixed(2)})`,
);
const first = median("iommu-lab-here", "start to first result");
console.log(`${first <= 1000 ? "met" : "MISSED"}: first result within a second (${show(first)} ms)`);
if (long.length > 0) {
  console.log(
    "\nA thousand cells in one session, by tenths: median ms of a cell, MB of the language process and of the executor",
  );
  for (const { ms, mb } of long) console.log(`  ${show(ms)}  ${mb.language?.toFixed(0)}  ${mb.executor?.toFixed(0)}`);
  const growth = long.at(-1).ms / long[1].ms;
  const most = Math.max(...long.map(({ mb }) => mb.language ?? 0));
  console.log(`${growth <= 1.2 ? "met" : "MISSED"}: the time of a cell stays within 1.2 × (${growth.toFixed(2)})`);
  console.log(`${most <= 400 ? "met" : "MISSED"}: the language process takes at most 400 MB (${most.toFixed(0)})`);
}
const p99 = quantile(own["interrupt"], 0.99);
console.log(`${p99 <= 500 ? "met" : "MISSED"}: 99 % of interrupts within 500 ms (p99 ${show(p99)} ms)`);
