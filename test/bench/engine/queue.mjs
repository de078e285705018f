// Hold model (10,000 pending events, exponential delays) and lock model (200 processes, one lock): the engine against a plain C binary heap
// and SimPy, on the same delays, in one run. Ratios count: absolute speed depends on the machine and on what else it does.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CalendarQueue, HeapQueue, Processes, Simulation, Streams, waiting } from "iommu-lab/engine";

const pending = 10_000;
const processes = 200;
const hold = 100;
const rounds = 5;

const random = new Streams(1).stream("bench delays");
const delays = Float64Array.from({ length: 65_536 }, () => Math.round(random.exponential(20_000)));

/** 65,536 delays, again and again. */
function drawing() {
  let drawn = 0;
  return () => delays[drawn++ & 65_535];
}

/** Hold model: every event schedules its actor's next. */
class Hold {
  constructor(queue) {
    this.sim = new Simulation(queue);
    this.base = this.sim.attach(this);
    this.draw = drawing();
    for (let i = 0; i < pending; i++) this.sim.post(this.draw(), this.base, i);
  }
  dispatch(_kind, actor) {
    this.sim.post(this.draw(), this.base, actor);
  }
  run(operations) {
    this.sim.run({ maxEvents: operations });
    return this.sim.now;
  }
}

/** Lock model as a state machine: think, wait for the lock, hold it. */
class Lock {
  constructor(queue) {
    this.sim = new Simulation(queue);
    this.base = this.sim.attach(this);
    this.draw = drawing();
    this.waiting = new Int32Array(256);
    this.head = 0;
    this.count = 0;
    this.taken = false;
    this.done = 0;
    for (let i = 0; i < processes; i++) this.sim.post(this.draw(), this.base, i);
  }
  dispatch(kind, actor) {
    const { sim, base } = this;
    if (kind === 0) {
      if (this.taken) this.waiting[(this.head + this.count++) & 255] = actor;
      else {
        this.taken = true;
        sim.post(hold, base + 1, actor);
      }
      return;
    }
    if (++this.done === this.goal) sim.stop();
    if (this.count > 0) {
      sim.post(hold, base + 1, this.waiting[this.head]);
      this.head = (this.head + 1) & 255;
      this.count--;
    } else this.taken = false;
    sim.post(this.draw(), base, actor);
  }
  run(operations) {
    this.goal = this.done + operations;
    this.sim.run();
    return this.sim.now;
  }
}

/** Lock model as generator processes. */
class GeneratorLock {
  constructor() {
    this.sim = new Simulation();
    this.goal = 0;
    this.done = 0;
    const all = new Processes(this.sim);
    const { sim } = this;
    const running = [];
    const base = sim.attach({ dispatch: (_kind, actor) => running[actor].resume() });
    const line = new Int32Array(256);
    let head = 0;
    let count = 0;
    let taken = false;
    const draw = drawing();
    const self = this;
    const after = (ticks, actor) => {
      sim.post(ticks, base, actor);
      return waiting;
    };
    for (let i = 0; i < processes; i++)
      running.push(
        all.begin(`process ${i}`, function* () {
          for (;;) {
            yield after(draw(), i);
            if (taken) {
              line[(head + count++) & 255] = i;
              yield waiting;
            }
            taken = true;
            yield after(hold, i);
            taken = count > 0;
            if (taken) {
              sim.post(0, base, line[head]);
              head = (head + 1) & 255;
              count--;
            }
            if (++self.done === self.goal) sim.stop();
          }
        }),
      );
  }
  run(operations) {
    this.goal = this.done + operations;
    this.sim.run();
    return this.sim.now;
  }
}

/** The same as `Hold`, as generator processes. */
class GeneratorHold {
  constructor() {
    this.sim = new Simulation();
    this.goal = 0;
    this.done = 0;
    const all = new Processes(this.sim);
    const { sim } = this;
    const running = [];
    const base = sim.attach({ dispatch: (_kind, actor) => running[actor].resume() });
    const draw = drawing();
    const self = this;
    for (let i = 0; i < pending; i++)
      running.push(
        all.begin(`process ${i}`, function* () {
          for (;;) {
            sim.post(draw(), base, i);
            yield waiting;
            if (++self.done === self.goal) sim.stop();
          }
        }),
      );
  }
  run(operations) {
    this.goal = this.done + operations;
    this.sim.run();
    return this.sim.now;
  }
}

const contestants = {
  hold: {
    calendar: () => new Hold(new CalendarQueue()),
    heap: () => new Hold(new HeapQueue()),
    generators: () => new GeneratorHold(),
  },
  lock: {
    calendar: () => new Lock(new CalendarQueue()),
    heap: () => new Lock(new HeapQueue()),
    generators: () => new GeneratorLock(),
  },
};

// Each contestant has a process of its own, as in use: one that has seen both queues can not compile for either.
if (process.argv[2] === "contestant") {
  const [model, name, operations] = process.argv.slice(3);
  let best = Number.POSITIVE_INFINITY;
  let now = 0;
  for (let i = 0; i < 2; i++) {
    const subject = contestants[model][name]();
    const began = performance.now();
    now = subject.run(Number(operations));
    best = Math.min(best, performance.now() - began);
  }
  console.log(operations, best / 1000, now);
}

function program(command, args) {
  return () => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
    const [done, seconds, now] = stdout.trim().split(/\s+/).map(Number);
    return { rate: done / seconds, now };
  };
}

/** A Python that has SimPy, or undefined: $PYTHON, the lab's environment, then the system's. */
function pythonWithSimPy() {
  const candidates = [process.env.PYTHON, ".venv/bin/python", ".lab/venv/bin/python", "python3"];
  return candidates.find(
    (python) => python && spawnSync(python, ["-c", "import simpy"], { stdio: "ignore" }).status === 0,
  );
}

/** Prints the table; returns nothing. Called by bench.mjs. */
export function run() {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-bench-"));
  try {
    const file = join(folder, "delays");
    writeFileSync(file, new Uint8Array(delays.buffer));
    const heap = join(folder, "heap");
    const cc = ["cc", "gcc", "clang"].find(
      (compiler) =>
        spawnSync(compiler, ["-O2", "-o", heap, new URL("./heap.c", import.meta.url).pathname], { stdio: "ignore" })
          .status === 0,
    );
    const python = pythonWithSimPy();
    const models = new URL("./simpy_models.py", import.meta.url).pathname;
    const subjects = [
      ["hold", "hold model, 10,000 pending", "events", 2_000_000, 100_000],
      ["lock", "lock model, 200 processes", "acquisitions", 1_000_000, 50_000],
    ];
    const here = new URL(import.meta.url).pathname;
    for (const [model, title, unit, operations, few] of subjects) {
      const script = (name) => program(process.execPath, [here, "contestant", model, name, operations]);
      const rivals = [
        [
          "C binary heap",
          cc && existsSync(heap) ? program(heap, [model, operations, file]) : "not measured: no C compiler",
        ],
        ["state machine, calendar queue", script("calendar")],
        ["state machine, binary heap", script("heap")],
        ["generator processes", script("generators")],
        [
          "SimPy",
          python ? program(python, [models, model, few, file]) : "not measured: no Python with SimPy (set PYTHON)",
        ],
      ];
      const best = new Map();
      for (let round = 0; round < rounds; round++)
        for (const [label, contestant] of rivals) {
          if (typeof contestant === "string" || (label === "SimPy" && round > 1)) continue;
          const result = contestant();
          if (result.rate > (best.get(label)?.rate ?? 0)) best.set(label, result);
        }
      const c = best.get("C binary heap");
      const simpy = best.get("SimPy");
      console.log(`\n${title}: million ${unit} a second, best of ${rounds} rounds`);
      for (const [label, contestant] of rivals) {
        const result = best.get(label);
        if (!result) console.log(`  ${label.padEnd(30)}  ${contestant}`);
        else {
          const ratios = [
            c && `${(result.rate / c.rate).toFixed(3)} × C`,
            simpy && `${(result.rate / simpy.rate).toFixed(1)} × SimPy`,
          ];
          console.log(
            `  ${label.padEnd(30)}  ${(result.rate / 1e6).toFixed(3).padStart(8)}   ${ratios.filter(Boolean).join("   ")}`,
          );
        }
      }
      const same = c && c.now === best.get("state machine, calendar queue").now;
      if (c) console.log(`  both end at the same tick: ${same ? "yes" : "NO, the order differs"}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
