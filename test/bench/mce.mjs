// `npm run bench:mce`: states a second and bytes a state of the exhaustive explorer, on the machine-check system and on a bare model
// whose successor function costs almost nothing, beside a plain JavaScript Map of strings doing the same search.
import { explore } from "iommu-lab/explore";
import { machineCheckModel, machineCheckProperties, simpleSystem } from "iommu-lab/kvm";

/** A cube of side 2^bits in three dimensions, walked one step at a time: 2^(3 × bits) states. */
const cube = (bits) => {
  const mask = (1 << bits) - 1;
  return {
    name: "cube",
    words: 1,
    initial(out, emit) {
      out[0] = 0;
      emit();
    },
    next(state, out, emit) {
      const w = state[0];
      for (let axis = 0; axis < 3; axis++) {
        const shift = axis * bits;
        const at = (w >>> shift) & mask;
        if (at < mask) {
          out[0] = w + (1 << shift);
          emit(axis);
        }
      }
    },
    actionName: String,
    describe: (state) => String(state[0]),
  };
};

/** The same search as anyone would first write it: a Map keyed by text. */
function naive(model, limit) {
  const seen = new Map();
  const out = new Uint32Array(model.words);
  const queue = [];
  const add = () => {
    const key = out.join(",");
    if (!seen.has(key) && seen.size < limit) {
      seen.set(key, true);
      queue.push(out.slice());
    }
  };
  model.initial(out, add);
  for (let i = 0; i < queue.length; i++) model.next(queue[i], out, add);
  return seen.size;
}

const measure = (name, run) => {
  // Processor time of this process: the elapsed time would also count what else the computer does.
  const started = process.cpuUsage();
  const { states, transitions = 0, bytes = 0 } = run();
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  const rate = states / seconds / 1e6;
  console.log(
    `${name.padEnd(58)} ${String(states).padStart(10)} states  ${rate.toFixed(2).padStart(6)} M states/s  ${(transitions / seconds / 1e6).toFixed(2).padStart(6)} M transitions/s  ${(bytes / 2 ** 20).toFixed(0).padStart(5)} MiB`,
  );
  return rate;
};

const system = (changes) => {
  const config = { ...simpleSystem, rule: "shadow", hostChanges: true, migrations: true, startWith: "any", ...changes };
  return [machineCheckModel(config), machineCheckProperties(config)];
};
const bare = ([model, properties]) => {
  const { canonical: _, ...plain } = model;
  return [plain, properties];
};
const run =
  ([model, properties], maxStates) =>
  () =>
    explore(model, { properties, maxStates });

explore(cube(5));
run(system({ cpus: 2, vcpus: 2 }))();
const fast = measure("cube, 2^21 states", () => explore(cube(7)));
const slow = measure("the same with a Map of strings, first 2^18 states", () => ({ states: naive(cube(7), 2 ** 18) }));
measure("machine check, 2 CPUs, 3 guests, classes", run(system({ cpus: 2, vcpus: 3 })));
measure("machine check, 3 CPUs, 2 guests, all states", run(bare(system({ cpus: 3, vcpus: 2 }))));
measure("machine check, 3 CPUs, 3 guests, classes", run(system({ cpus: 3, vcpus: 3 })));
measure("machine check, 3 CPUs, 3 guests, first 10 M states", run(bare(system({ cpus: 3, vcpus: 3 })), 10_000_000));
console.log(`\nexplorer : Map of strings = ${(fast / slow).toFixed(1)} : 1 (states a second)`);
console.log(`peak memory of the process ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
