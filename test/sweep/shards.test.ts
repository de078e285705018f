import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
// The built code: a worker thread runs that, too.
import {
  cancelSubmitted,
  follow,
  gather,
  runShard,
  type ScriptAsk,
  Slurm,
  type SweepStatus,
  schedulers,
  scriptFor,
  shardOf,
  statusText,
  submitRound,
  submitSweep,
  sweepResult,
  sweepStatus,
  tasksFor,
  Version,
  type Work,
  writeResults,
} from "../../dist/sweep/index.js";
import { secondsOf } from "../../src/sweep/cluster/slurm.js";
import { lostTasks } from "../../src/sweep/cluster/watch.js";
import { lineOf, recordsIn } from "../../src/sweep/shards/line.js";
import { rowsOf, rowsText } from "../../src/sweep/shards/rows-text.js";
import { disjoint, pointsOfShard } from "../../src/sweep/shards/shard.js";
import { fc } from "../support/property.js";
import { FakeSlurm, type FakeTask } from "./fake-slurm.js";
// @ts-expect-error plain JavaScript, which the worker threads load, too
import { toy } from "./toy-experiment.mjs";

const top = mkdtempSync(join(tmpdir(), "shards-"));
afterAll(() => rmSync(top, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(top, String(++folders));
const from = new URL("./toy-experiment.mjs", import.meta.url).href;
const workOf = (values: number[], more = {}): Work => ({
  experiment: toy,
  configurations: values.map((value) => ({ input: { values: [value], ...more }, varied: { value } })),
  identity: `toy ${values.length}`,
  file: {},
  from,
});
const eight = workOf([1, 2, 3, 4, 5, 6, 7, 8]);
const part = (folder: string, work: Work, shard: string, more = {}) =>
  runShard(folder, work, { shard: shardOf(shard), jobs: 1, ...more });

describe("a shard", () => {
  test("has every N-th point; two shards are disjoint where they can share none", () => {
    const count = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(count, count, fc.nat(11), fc.nat(11), (n, m, i, j) => {
        const points = Array.from({ length: 144 }, (_, k) => String(k));
        const [a, b] = [
          { index: 1 + (i % n), count: n },
          { index: 1 + (j % m), count: m },
        ];
        const own = new Set(pointsOfShard(points, a));
        expect(disjoint(a, b)).toBe(!pointsOfShard(points, b).some((point) => own.has(point)));
        const all = Array.from({ length: n }, (_, k) => pointsOfShard(points, { index: k + 1, count: n })).flat();
        expect(all.toSorted()).toEqual(points.toSorted());
      }),
    );
  });

  test("writes lines and rows that come back exactly, and what is cut off or damaged does not", () => {
    const cell = fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.constant(-0));
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), cell)), fc.nat(), (rows, cut) => {
        const plain = rows.map((row) => ({ ...row }));
        expect(rowsOf(rowsText(plain))).toEqual(plain);
        const bytes = Buffer.from(lineOf({ n: 1 }) + lineOf({ text: rowsText(plain) }));
        const at = cut % bytes.length;
        const whole = recordsIn(bytes).records;
        expect(recordsIn(bytes.subarray(0, at)).records).toEqual(whole.slice(0, at < lineOf({ n: 1 }).length ? 0 : 1));
      }),
    );
  });

  test("goes on after a point that failed, says which, and computes it again only when told to", async () => {
    const folder = newFolder();
    const failing = { ...workOf([1, 2, 3], { failAt: 2 }), identity: "same" };
    expect(await part(folder, failing, "1/1")).toMatchObject({ computed: 2, failed: [{ message: "value 2 fails" }] });
    expect(await part(folder, failing, "1/1")).toMatchObject({ computed: 0, failed: [{ label: "value 2" }] });
    expect(await part(folder, failing, "1/1", { retryFailed: true })).toMatchObject({ failed: [{ label: "value 2" }] });
    const status = sweepStatus(folder, failing);
    expect(status).toMatchObject({ points: 3, done: 2, failed: 1, missing: 0, running: 0, repeated: 0 });
    expect(statusText(folder, status)).toContain("failed: value 2, on ");
    await expect(writeResults(folder, failing, gather(folder, failing), "v")).rejects.toThrow(
      /1 of 3 points are not there. 1 of them failed \(value 2: value 2 fails\); --retry-failed/,
    );
  });

  test("is refused a store of other code, with the points, until that code is accepted", async () => {
    const folder = newFolder();
    await part(folder, eight, "1/2", { version: new Version("a".repeat(20)) });
    const { label } = new Version("a".repeat(20));
    const here = new Version("b".repeat(20));
    const refused = new RegExp(
      `4 points were computed by other code .*${label}; this is ${here.label}.*value 1; value 3.*--accept ${label}`,
    );
    await expect(part(folder, eight, "2/2", { version: here })).resolves.toMatchObject({ computed: 4 });
    await expect(part(folder, eight, "1/1", { version: here })).rejects.toThrow(refused);
    expect(() => gather(folder, eight, here)).toThrow(refused);
    expect(sweepStatus(folder, eight, here)).toMatchObject({ done: 4, missing: 4, foreign: { [label]: 4 } });
    const { rows, missing } = gather(folder, eight, new Version("b".repeat(20), [label]));
    expect([rows.size, missing]).toEqual([8, []]);
  });

  test("that computes something else than another machine did is found out", async () => {
    const folder = newFolder();
    await part(folder, eight, "1/2");
    const shards = join(folder, "shards");
    const [name] = readdirSync(shards).filter((file) => file.endsWith(".log"));
    const other = readFileSync(join(shards, name), "utf8").split("\n").slice(0, -1);
    const lines = other
      .map((line) => JSON.parse(line.slice(9)))
      .map((line) => (line.h ? { ...line, h: "0".repeat(12) } : line));
    writeFileSync(join(shards, "other.log"), lines.map(lineOf).join(""));
    writeFileSync(join(shards, "other.rows"), readFileSync(join(shards, name.replace("log", "rows"))));
    expect(() => gather(folder, eight)).toThrow("4 points were computed twice by the same code with different rows");
  });

  test("of a machine with a folder of its own joins the others when its files are copied to theirs", async () => {
    const [one, two, whole] = [newFolder(), newFolder(), newFolder()];
    await part(whole, eight, "1/1");
    await part(one, eight, "1/2");
    await part(two, eight, "2/2");
    expect(gather(one, eight).missing).toHaveLength(4);
    for (const file of readdirSync(join(two, "shards")))
      writeFileSync(join(one, "shards", file), readFileSync(join(two, "shards", file)));
    for (const folder of [one, whole]) await writeResults(folder, eight, gather(folder, eight), "v");
    for (const file of ["table.arrow", "runs.json"])
      expect(readFileSync(join(one, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
    expect(sweepStatus(one, eight)).toMatchObject({ done: 8, missing: 0, repeated: 0 });
  });

  test("of a dead machine is in nobody's way, and is named; one cut off in the middle of a line loses that line alone", async () => {
    const folder = newFolder();
    await part(folder, eight, "1/2");
    const shards = join(folder, "shards");
    const log = join(shards, readdirSync(shards).find((file) => file.endsWith(".log")) as string);
    const text = readFileSync(log, "utf8");
    // As a kill leaves it: the last point is half written, and there is no end.
    const at = text.trimEnd().lastIndexOf("\n", text.trimEnd().lastIndexOf("\n") - 1);
    truncateSync(log, at + 30);
    writeFileSync(
      log,
      readFileSync(log, "utf8").replace(/"pid":\d+/, (pid) => pid),
    );
    utimesSync(log, 1, 1);
    expect(statusText(folder, sweepStatus(folder, eight))).toMatch(
      /shard 1\/2, process \d+ on \S+: gone without an end/,
    );
    expect(await part(folder, eight, "1/1")).toMatchObject({ computed: 5, kept: 3 });
    appendFileSync(log, "noise of another program\n");
    expect(gather(folder, eight).missing).toEqual([]);
  });

  test("says in a sentence that its folder cannot be written", async () => {
    writeFileSync(join(top, "a file"), "");
    await expect(part(join(top, "a file"), eight, "1/1")).rejects.toThrow(
      /a file.*(part of the path is a file|in the way)/,
    );
    const full = newFolder();
    mkdirSync(full);
    writeFileSync(join(full, "shards"), "");
    await expect(part(full, eight, "1/1")).rejects.toThrow(
      /shards: cannot be (written|read)|shards: .*not a directory/i,
    );
  });
});

describe("scripts", () => {
  const ask: ScriptAsk = {
    folder: "/shared/my sweep",
    cli: "/shared/lab/src/cli/iommu-lab.mjs",
    node: "/usr/bin/node",
    tasks: 7,
    jobs: 2,
    time: "1:30:00",
  };

  test("of every scheduler are shell that parses, and name shard, folder and what the user asked for", () => {
    for (const name of schedulers) {
      const script = scriptFor(name, {
        ...ask,
        partition: "short",
        mem: "4G",
        setup: "module load nodejs/20",
        prefix: "apptainer exec lab.sif",
      });
      expect(script, name).toContain("module load nodejs/20");
      expect(script, name).toContain(`sweep "$folder" --shard "$task/7" --jobs 2`);
      if (name === "kubernetes") continue;
      const parsed = spawnSync("sh", ["-n"], { input: script, encoding: "utf8" });
      expect([parsed.status, parsed.stderr], name).toEqual([0, ""]);
    }
  });

  test("take no value that would be more than a word", () => {
    for (const [flag, value] of Object.entries({
      partition: "a b",
      account: "x\n#SBATCH",
      mem: "lots",
      time: "soon",
      constraint: "a;b",
      qos: "$(id)",
    }))
      expect(() => scriptFor("slurm", { ...ask, [flag]: value })).toThrow(`--${flag}: `);
    expect(() => scriptFor("slurm", { ...ask, setup: "a\nb" })).toThrow("--setup: one line");
    expect(() => scriptFor("slurm", { ...ask, folder: '/a"b' })).toThrow("not taken by schedulers");
  });

  test("cut an array into tasks of some minutes, within what the scheduler takes", () => {
    const cut = { points: 1000, secondsAPoint: 6, jobs: 2, taskMinutes: 5, mostTasks: 100 };
    expect(tasksFor(cut)).toBe(10);
    expect(tasksFor({ ...cut, mostTasks: 4 })).toBe(4);
    expect(tasksFor({ ...cut, points: 3, secondsAPoint: 9000 })).toBe(2);
    expect(tasksFor({ ...cut, points: 1, secondsAPoint: 0 })).toBe(1);
  });
});

describe("through Slurm", () => {
  const followed = async (
    task: FakeTask,
    prepare: (fake: FakeSlurm, folder: string) => void | Promise<void> = () => {},
    maxArraySize = 1001,
    tasks = 3,
  ) => {
    const folder = newFolder();
    const fake = new FakeSlurm(async (number, of, fake) => {
      if (number === 0) return task(0, of, fake);
      const state = await task(number, of, fake);
      if (state === "COMPLETED") await part(folder, eight, `${number}/${of}`);
      return state;
    }, maxArraySize);
    const said: string[] = [];
    await part(folder, eight, "1/1", { most: 1 });
    await prepare(fake, folder);
    const all = {
      slurm: new Slurm(fake.run),
      folder,
      status: () => sweepStatus(folder, eight),
      ask: async (): Promise<ScriptAsk> => ({
        folder,
        cli: "/lab/cli.mjs",
        node: "node",
        tasks,
        jobs: 1,
        time: "10",
      }),
      pollMs: 1,
      say: (line: string) => {
        said.push(line);
        // Nodes that were out are back as soon as somebody was told.
        if (line.includes("sinfo -R")) fake.stuck.clear();
      },
    };
    await submitRound(all, 1);
    const status = await follow(all).catch((error: Error) => error.message);
    return { status, said, fake, folder, all };
  };
  const done = { points: 8, done: 8, missing: 0, repeated: 0 };

  test("every point is computed once; what a killed, timed-out or lost task leaves is submitted again", async () => {
    const ends = ["COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "CANCELLED"] as const;
    const left = new Map(ends.map((end, i) => [i + 1, end]));
    const { status, said, fake } = await followed(
      async (number) => {
        const end = left.get(number) ?? "COMPLETED";
        if (number > 0) left.delete(number);
        return end;
      },
      () => {},
      1001,
      5,
    );
    expect(status).toMatchObject(done);
    expect(said.join("\n")).toMatch(
      /\(1 COMPLETED, 1 FAILED, 1 TIMEOUT, 1 NODE_FAIL, 1 CANCELLED\) with \d points missing; they are submitted again\./,
    );
    expect(fake.jobs).toHaveLength(4);
  });

  /** A shard that did one point and was killed ten minutes ago. */
  const silent = async (folder: string, shard: string) => {
    const shards = join(folder, "shards");
    const before = new Set(readdirSync(shards));
    await part(folder, eight, shard, { most: 1, jobs: 1 });
    const [log] = readdirSync(shards).filter((name) => name.endsWith(".log") && !before.has(name));
    const lines = readFileSync(join(shards, log), "utf8").trimEnd().split("\n");
    writeFileSync(join(shards, log), `${lines.slice(0, -1).join("\n")}\n`);
    const at = Date.now() / 1000 - 600;
    utimesSync(join(shards, log), at, at);
  };

  test.each([
    ["is cancelled", false],
    ["is left to its dead node", true],
  ])("a task that runs for ever after its process died %s, its points are submitted again, once", async (_, deaf) => {
    const { status, said, fake, folder } = await followed(
      async () => "COMPLETED",
      async (fake, folder) => {
        fake.deaf = deaf;
        fake.stuck.set("101_2", "RUNNING|1:00:00|None");
        await silent(folder, "2/3");
      },
    );
    expect(status).toMatchObject(done);
    expect(said.filter((line) => line.startsWith("Task"))).toEqual([
      "Task 101_2 runs for the scheduler, and was last heard of 10 min ago: it is cancelled, what it finished is kept, and what it left is submitted again. If such tasks do work, --patience waits longer.",
    ]);
    expect(fake.jobs).toHaveLength(4);
    const { rows, missing } = gather(folder, eight);
    expect([rows.size, missing]).toEqual([8, []]);
  });

  const held = "PENDING|0:00|launch failed requeued held";

  test("a task that the scheduler holds after a failed launch is submitted again; if that happens again and again, a sentence ends it", async () => {
    const once = await followed(
      async () => "COMPLETED",
      (fake) => {
        fake.stuck.set("101_3", held);
      },
    );
    expect(once.status).toMatchObject(done);
    expect(once.said.join("\n")).toContain("Task 101_3 is held by the scheduler (launch failed requeued held)");
    const always = await followed(
      async () => "COMPLETED",
      (fake) => {
        for (const job of [101, 103, 105, 107, 109])
          for (const task of [1, 2, 3]) fake.stuck.set(`${job}_${task}`, held);
      },
    );
    expect(always.status).toMatch(/Job 107 has ended .* with 7 points missing, and nothing came of it/);
  });

  test("the job that looks at the workers is submitted again as well where the scheduler holds it", async () => {
    const { status } = await followed(
      async () => "COMPLETED",
      (fake) => {
        fake.stuck.set("100_0", held);
      },
    );
    expect(status).toMatchObject(done);
  });

  test("when every point is there it is over, whatever the scheduler still has", async () => {
    const phantom = await followed(
      async () => "COMPLETED",
      async (fake, folder) => {
        await part(folder, eight, "2/3");
        fake.stuck.set("101_2", "RUNNING|0:20|None");
      },
    );
    expect(phantom.status).toMatchObject(done);
    expect(phantom.said.at(-1)).toBe("Every point is there; what the scheduler still has of job 101 is cancelled.");
  });

  test("nodes that are out are named once, and waited for", async () => {
    const out = await followed(
      async () => "COMPLETED",
      (fake) => {
        for (const task of [1, 2, 3])
          fake.stuck.set(`101_${task}`, "PENDING|0:00|Nodes required for job are DOWN, DRAINED");
      },
    );
    expect(out.status).toMatchObject(done);
    expect(out.said.filter((line) => line.includes("sinfo -R"))).toHaveLength(1);
  });

  test("a task is silent by its own shard's signs of life, within the patience, and five times that until its first", () => {
    const of = (text: string, heard: { index: number; count?: number; ago: number }[] = []) => {
      const [state, time, reason = "None"] = text.split("|");
      const processes = heard.map(({ index, count = 4, ago }) => ({
        ...({} as SweepStatus["processes"][number]),
        shard: { index, count },
        heardSecondsAgo: ago,
      }));
      const queue = [{ job: "7", task: 2, state, reason, seconds: secondsOf(time) }];
      return lostTasks(queue, { check: "6", array: "7", tasks: 4, processes, patience: 100 }).map(({ why }) => why);
    };
    expect(of("RUNNING|8:19")).toEqual([]);
    expect(of("RUNNING|8:21")).toEqual(["has run for 8 min without a sign of life"]);
    // What a shard said before the task began, or another one says, is no sign of it.
    expect(of("RUNNING|1:00", [{ index: 2, ago: 3000 }])).toEqual([]);
    expect(of("RUNNING|8:21", [{ index: 2, ago: 3000 }])).toHaveLength(1);
    expect(of("RUNNING|8:21", [{ index: 2, count: 5, ago: 1 }])).toHaveLength(1);
    expect(of("RUNNING|1-00:00:00", [{ index: 2, ago: 99 }])).toEqual([]);
    expect(of("RUNNING|1-00:00:00", [{ index: 2, ago: 101 }])).toEqual([
      "runs for the scheduler, and was last heard of 2 min ago",
    ]);
    // One process of a shard suffices.
    expect(
      of("RUNNING|1-00:00:00", [
        { index: 2, ago: 500 },
        { index: 2, ago: 15 },
      ]),
    ).toEqual([]);
    expect(of("RUNNING|INVALID")).toEqual([]);
    for (const state of ["COMPLETING", "SUSPENDED", "PENDING"]) expect(of(`${state}|2-00:00:00`)).toEqual([]);
    // Whoever holds a task means it.
    expect(of("PENDING|0:00|JobHeldUser")).toEqual([]);
    expect(of("PENDING|0:00|launch_failed_requeued_held")).toHaveLength(1);
    expect(secondsOf("1-02:03:04")).toBe(93_784);
    expect(secondsOf("0:07")).toBe(7);
  });

  test("a controller that is away for a while is waited for; without accounting it goes on as well", async () => {
    let kills = 1;
    const { status, said } = await followed(
      async (number, _, fake) => {
        if (number !== 1 || kills-- === 0) return "COMPLETED";
        fake.away = 3;
        return "FAILED";
      },
      (fake) => {
        fake.accounting = false;
      },
    );
    expect(status).toMatchObject(done);
    expect(said.join("\n")).toContain("Unable to contact slurm controller");
  });

  test("workers that cannot work, an array of which nothing comes, and one that is too large are told in a sentence", async () => {
    const refused = await followed(async (number) => (number === 0 ? "FAILED" : "COMPLETED"));
    expect(refused.status).toMatch(/Job 101 has ended .* with 7 points missing, and nothing came of it/);
    const folderOf = ({ folder }: { folder: string }) => join(folder, "jobs", "refused-100.txt");
    writeFileSync(folderOf(refused), "On node7 there is no Node.js.\n");
    await expect(follow(refused.all)).rejects.toThrow("The workers cannot work. On node7 there is no Node.js.");
    expect((await followed(async (number) => (number === 0 ? "COMPLETED" : "FAILED"))).status).toContain(
      "nothing came of it",
    );
    await expect(
      followed(
        async () => "COMPLETED",
        () => {},
        3,
      ),
    ).rejects.toThrow(/Invalid job array specification. --max-tasks/);
    await expect(new Slurm(async () => ({ status: 127, stdout: "", stderr: "" })).submit("x")).rejects.toThrow(
      "there is no Slurm here",
    );
  });

  test("what is cancelled stays so", async () => {
    const { all, folder, fake } = await followed(async (number) => (number === 3 ? "FAILED" : "COMPLETED"));
    await submitRound(all, 1);
    await cancelSubmitted(all.slurm, folder);
    expect([...(fake.jobs.at(-1)?.states.values() ?? [])]).toEqual(["CANCELLED", "CANCELLED", "CANCELLED"]);
    await expect(follow(all)).rejects.toThrow(/was cancelled; \d points are missing/);
  });
});

test("a notebook reads a sweep that is not at its end, and submits none", async () => {
  const folder = newFolder();
  const { readWork } = await import("../../dist/sweep/index.js");
  const file = {
    experiment: "machine-transfer",
    base: { rounds: 10 },
    space: { host: ["sandy-bridge-ep", "westmere-ep"] },
  };
  const work = readWork(JSON.stringify(file), "f.json");
  const half = await runShard(folder, work, { jobs: 1, most: 40 });
  expect(half.points).toBeGreaterThan(40);
  const { table, provenance, missing, status } = await sweepResult(folder);
  expect(status.done).toBe(40);
  expect(missing.length).toBeGreaterThan(0);
  expect(provenance.numRows()).toBe(table.numRows());
  const shown = (await sweepResult(folder)) as unknown as Record<symbol, () => Record<string, string>>;
  expect(shown[Symbol.for("Jupyter.display")]()["text/plain"]).toMatch(
    /missing: configuration \d .*\n.*iommu-lab sweep .* computes what is missing/,
  );
  expect(submitSweep("my file.json", { partition: "short" }).command).toBe(
    "npx iommu-lab sweep 'my file.json' --on slurm --partition short",
  );
  await expect(sweepResult(top)).rejects.toThrow("expected the folder of a sweep");
});
