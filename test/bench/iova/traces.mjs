// The traces of `npm run bench:iova`: text, as the command line replays it. Each is made by a small multiplicative generator, so that it is fixed.

function generator(seed = 12345) {
  let state = seed;
  return (n) => {
    state = (state * 48271) % 0x7fffffff;
    return state % n;
  };
}

/** Static maps first, then `steps` of: unmap a random live short-lived range, map another. */
function churn(statics, live, steps, sizes) {
  const next = generator();
  const lines = [];
  let id = 0;
  for (; id < statics; id++) lines.push("m 1 1048575");
  const ids = [];
  for (let i = 0; i < live; i++) {
    lines.push(`m ${sizes[next(sizes.length)]} 1048575`);
    ids.push(id++);
  }
  for (let i = 0; i < steps; i++) {
    const at = next(live);
    lines.push(`u ${ids[at]}`, `m ${sizes[next(sizes.length)]} 1048575`);
    ids[at] = id++;
  }
  return lines.join("\n");
}

/** A receive and a transmit ring, first in first out, as TCP_RR drives them. */
function rings(statics, depth, steps) {
  const lines = [];
  let id = 0;
  for (; id < statics; id++) lines.push("m 1 1048575");
  const queue = [];
  for (let i = 0; i < steps; i++) {
    if (queue.length >= depth) lines.push(`u ${queue.shift()}`);
    lines.push(`m ${i % 4 === 0 ? 2 : 1} 1048575`);
    queue.push(id++);
  }
  return lines.join("\n");
}

/** A ring a CPU, all busy in turn; `freedOn` says where the range that a CPU's ring lets go is unmapped. */
function cpuRings(cpus, depth, steps, limit, freedOn = (cpu) => cpu) {
  const lines = [`i cpus ${cpus}`];
  const queues = Array.from({ length: cpus }, () => []);
  let id = 0;
  for (let i = 0; i < steps; i++) {
    const cpu = (i >> 4) % cpus;
    const queue = queues[cpu];
    if (queue.length >= depth) lines.push(`u ${queue.shift()} ${freedOn(cpu)}`);
    lines.push(`m ${i % 4 === 0 ? 2 : 1} ${limit} ${cpu}`);
    queue.push(id++);
  }
  return lines.join("\n");
}

/** Storage: requests of 1 to 64 pages, completed in random order on other CPUs than they were submitted on. */
function storage(cpus, live, steps, sizes, startPfn) {
  const next = generator(777);
  const lines = [`i cpus ${cpus}`, `i start_pfn ${startPfn}`];
  const ids = [];
  let id = 0;
  for (let i = 0; i < steps; i++) {
    if (ids.length >= live) {
      const at = next(ids.length);
      lines.push(`u ${ids[at]} ${next(cpus)}`);
      ids[at] = ids.at(-1);
      ids.pop();
    }
    lines.push(`m ${sizes[next(sizes.length)]} 1048575 ${next(cpus)}`);
    ids.push(id++);
  }
  return lines.join("\n");
}

/** For the tree of Linux v4.3. */
export const treeTraces = {
  "rings, 16k static maps": rings(16384, 256, 100_000),
  "rings, no static maps": rings(0, 512, 100_000),
  "random order, one page, 16k static maps": churn(16384, 256, 60_000, [1]),
  "random order, mixed sizes, 1k live": churn(0, 1024, 20_000, [1, 1, 1, 2, 4, 16]),
  "boot: 64k static maps": churn(65536, 1, 1, [1]),
};

/** For the allocator of Linux 6.18. */
export const cacheTraces = {
  "a ring a CPU, 8 CPUs": cpuRings(8, 256, 200_000, 1048575),
  "8 CPUs map, 4 of them unmap": cpuRings(8, 256, 200_000, 1048575, (cpu) => cpu & 6),
  "64-bit device, 16 CPUs": cpuRings(16, 512, 200_000, 68719476735),
  "storage, 1 to 64 pages, 8 CPUs": storage(8, 2048, 60_000, [1, 1, 1, 2, 4, 8, 32, 64], 1),
  "storage, half above 32 pages": storage(4, 1024, 30_000, [1, 8, 48, 128], 1),
  "full 32-bit space, drained again and again": storage(4, 300, 6000, [1, 2, 4, 8, 16, 32, 64], 1048575 - 4095),
  "boot: 64k static maps": churn(65536, 1, 1, [1]),
};
