import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** `iommu-lab reproduce` on two small notebooks: what is left of a run that ends in the middle, and what `--check` says. */

const cli = "src/cli/iommu-lab.mjs";
const top = mkdtempSync(join(tmpdir(), "reproduce-"));
const notebooks = join(top, "notebooks");
const go = join(top, "go");
afterAll(() => rmSync(top, { recursive: true, force: true }));

const cell = (source: string, i: number) => ({
  cell_type: "code",
  id: `c${i}`,
  metadata: {},
  source,
  execution_count: null,
  outputs: [],
});
const notebook = (...sources: string[]) =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: sources.map(cell) });

beforeAll(() => {
  mkdirSync(notebooks);
  writeFileSync(
    join(notebooks, "01-quick.ipynb"),
    notebook(
      "const values = [1, 2, 3];",
      "console.log('sum', values.reduce((a, b) => a + b, 0));\nvalues.map((v) => v / 3)",
    ),
  );
  // Ends at once where the file is there, and waits for it otherwise.
  writeFileSync(
    join(notebooks, "02-waits.ipynb"),
    notebook(
      `import { existsSync } from "node:fs";\nwhile (!existsSync(${JSON.stringify(go)})) await new Promise((done) => setTimeout(done, 100));\n42`,
    ),
  );
});

const args = (out: string, ...more: string[]) => [
  cli,
  "reproduce",
  "--notebooks",
  notebooks,
  "--only",
  "01,02",
  "--jobs",
  "1",
  "--out",
  out,
  ...more,
];
const run = (out: string, ...more: string[]) =>
  spawnSync(process.execPath, args(out, ...more), { encoding: "utf8", timeout: 150_000 });
const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith(".reproduce-points"))
    .toSorted();

/** Starts a run and waits until it says that the first notebook is done. */
async function untilFirstIsDone(
  out: string,
): Promise<{ child: ChildProcess; said: () => string; ended: Promise<number | null> }> {
  const child = spawn(process.execPath, args(out), { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  await new Promise<void>((resolve) => {
    child.stderr?.on("data", (chunk) => {
      text += chunk;
      if (text.includes("01-quick.ipynb: done")) resolve();
    });
    void ended.then(() => resolve());
  });
  return { child, said: () => text, ended };
}

test("a run that is interrupted or killed leaves nothing half-written, and goes on where it was", {
  timeout: 300_000,
}, async () => {
  const out = join(top, "out");
  const half = ["01-quick.ipynb", "01-quick.ipynb.done.json"].map((name) => join("notebooks", name));

  const first = await untilFirstIsDone(out);
  const second = run(out);
  expect([second.status, second.stderr]).toEqual([
    1,
    `${out} is in use by process ${first.child.pid} on ${JSON.parse(readFileSync(join(out, ".lock"), "utf8")).host}: wait for it, or choose another folder (if no such run exists, delete ${join(out, ".lock")}).\n`,
  ]);
  first.child.kill("SIGINT");
  expect(await first.ended).toBe(130);
  expect(first.said()).toContain("Interrupted; what was finished is kept, and the same command goes on from there.");
  expect(filesOf(out)).toEqual(["notebooks", ...half]);
  const done = readFileSync(join(out, half[0]), "utf8");

  const again = await untilFirstIsDone(out);
  expect(again.said()).toContain("01-quick.ipynb: done before the interruption");
  again.child.kill("SIGKILL");
  await again.ended;
  // The lock of a killed run stays; the next run sees that its process is gone.
  expect(filesOf(out)).toEqual([".lock", "notebooks", ...half]);
  expect(readFileSync(join(out, half[0]), "utf8")).toBe(done);

  writeFileSync(go, "");
  const last = run(out);
  expect(last.status).toBe(0);
  expect(last.stderr).toContain("01-quick.ipynb: done before the interruption");
  expect(filesOf(out)).toEqual([
    "manifest.json",
    "notebooks",
    join("notebooks", "01-quick.ipynb"),
    join("notebooks", "02-waits.ipynb"),
  ]);
  const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
  expect(manifest.notebooks.map((n: { resumed: boolean }) => n.resumed)).toEqual([true, false]);
  expect(manifest.peakMemory.processes).toBeGreaterThan(1);

  // A second run, from nothing, gives the same bytes; --check compares with what is stored, and names what differs.
  const stored = readFileSync(join(out, "notebooks", "01-quick.ipynb"), "utf8");
  for (const name of ["01-quick.ipynb", "02-waits.ipynb"])
    copyFileSync(join(out, "notebooks", name), join(notebooks, name));
  const other = join(top, "other");
  const same = run(other, "--check");
  expect([same.status, same.stdout]).toEqual([0, expect.stringContaining("every number, text and table is as stored")]);
  for (const name of ["01-quick.ipynb", "02-waits.ipynb"])
    expect(readFileSync(join(other, "notebooks", name), "utf8")).toBe(
      readFileSync(join(out, "notebooks", name), "utf8"),
    );

  const changed = JSON.parse(stored.replace("sum 6", "sum 7"));
  const numbers = { "The sum is {7}": `text(${changed.cells[1].id}, 'sum #')` };
  const prose = { cell_type: "markdown", id: "prose", source: "The sum is 7.", metadata: { "iommu-lab": { numbers } } };
  changed.cells.push(prose);
  writeFileSync(join(notebooks, "01-quick.ipynb"), JSON.stringify(changed));
  const drifted = run(join(top, "drifted"), "--check", "--only", "01");
  expect(drifted.status).toBe(1);
  expect(drifted.stderr).toContain(
    '01-quick.ipynb: cell 2, output 1, text, line 1: stored "sum 7", now "sum 6"\n01-quick.ipynb: cell 3, prose: "The sum is {7}": "7" in the text; the outputs say 6\n--check: 1 place differs from the stored notebooks; 1 number in prose is not what the outputs say.',
  );
});

describe("one clear sentence", () => {
  const said = (...more: string[]) => {
    const { status, stderr } = run(join(top, "never"), ...more);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    return stderr;
  };

  test("for a notebook that there is not, a folder that there is not, and a number of jobs that is none", () => {
    expect(said("--only", "01,99")).toBe(
      '--only: there is no notebook "99". There is 01-quick.ipynb, 02-waits.ipynb.\n',
    );
    expect(said("--notebooks", join(top, "nowhere"))).toMatch(/nowhere: cannot be read/);
    expect(said("--jobs", "many")).toContain("--jobs: a whole number from 1 to 256; got many.");
  });

  test("for a full disk; nothing half-written is left", { timeout: 120_000 }, () => {
    const full = join(top, "full.mjs");
    writeFileSync(
      full,
      `import fs from "node:fs";
       import { syncBuiltinESMExports } from "node:module";
       const open = fs.openSync, write = fs.writeSync, mine = new Set();
       fs.openSync = (file, ...rest) => { const fd = open(file, ...rest); if (/01-quick/.test(String(file)) && (rest[0] & fs.constants.O_CREAT)) mine.add(fd); return fd; };
       fs.writeSync = (fd, ...rest) => {
         if (!mine.has(fd)) return write(fd, ...rest);
         throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
       };
       syncBuiltinESMExports();`,
    );
    const out = join(top, "full");
    const { status, stderr } = spawnSync(process.execPath, ["--import", full, ...args(out)], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr.trim().split("\n").at(-1)).toBe(
      `${join(out, "notebooks", "01-quick.ipynb")}: cannot be written: the disk is full; free some space and run it again, what was finished is kept.`,
    );
    expect(filesOf(out).filter((name) => name !== "notebooks")).toEqual([]);
  });
});
