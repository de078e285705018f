// Draws small configurations over all experiments for the oracle. Only `record` uses it; the drawn ones are stored.

/** mulberry32: enough for drawing test configurations, and the same everywhere. */
function random(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function draw(count, seed = 20261127) {
  const next = random(seed);
  const one = (...values) => values[Math.floor(next() * values.length)];
  const whole = (low, high) => low + Math.floor(next() * (high - low + 1));
  const share = () => Math.round(next() * 100) / 100;
  /** Each field with probability p; `fields` are thunks. */
  const some = (p, fields) =>
    Object.fromEntries(
      Object.entries(fields)
        .filter(() => next() < p)
        .map(([name, value]) => [name, value()]),
    );
  const variants = [
    "off",
    "pass-through",
    "deferred",
    "strict",
    "thread-deferred",
    "thread-strict",
    "merged-deferred",
    "merged-strict",
    "magazines-deferred",
    "magazines-strict",
    "pools-4-lazy",
    "pools-16-lazy",
  ];
  const locks = ["test-and-set", "ticket", "ticket-padded", "mcs", "queued"];
  const hosts = ["sandy-bridge-ep", "westmere-ep", "broadwell-ep"];
  const makers = [
    [
      4,
      "machine-latency",
      () => ({
        host: one(...hosts),
        sizesKiB: [whole(1, 8192), whole(1, 8192)],
        seed: whole(0, 99),
        remote: one(true, false),
      }),
    ],
    [3, "machine-transfer", () => ({ host: one(...hosts), rounds: whole(10, 200) })],
    [
      8,
      "machine-locks",
      () => ({
        host: one(...hosts),
        cores: [whole(1, 12)],
        sectionCycles: whole(50, 3000),
        thinkCycles: whole(100, 20000),
        seed: whole(0, 99),
        ...some(0.4, {
          placement: () => one("socket by socket", "alternating"),
          homeOccupancyPercent: () => whole(0, 100),
        }),
      }),
    ],
    [1, "machine-assumptions", () => ({ host: one(...hosts), seed: whole(0, 99) }), 3],
    [
      60,
      "lock-contention",
      () => ({
        variants: [one(...variants)],
        cores: [one(1, 2, 4, 7, 8, 9, 12, 16)],
        replications: 1,
        seed: whole(1, 999),
        ...some(0.2, {
          threads: () => [whole(20, 400)],
          locks: () => [one(...locks)],
          profiles: () => [one("both", "transmit", "receive")],
          staticMaps: () => [whole(0, 40000)],
          holes: () => [share() / 2],
          mapsPerSide: () => [one(0.5, 1, 2, 3.5)],
          stackMicroseconds: () => [whole(2, 100)],
          stackLines: () => [whole(0, 4096)],
          twoPageShare: () => [share()],
          ats: () => [true],
          coherent: () => [false],
          storesAtOnce: () => [whole(1, 12)],
          invalidationCycles: () => [whole(200, 8000)],
          serialShare: () => [share()],
          rxRing: () => whole(64, 1024),
          shuffleCompletions: () => true,
          peerMicroseconds: () => whole(1, 400),
        }),
        ...some(0.1, { handoffPercent: () => [whole(0, 100)], handoffCycles: () => [whole(0, 300)] }),
      }),
    ],
    [
      6,
      "map-anatomy",
      () => ({
        variants: [one(...variants.slice(2))],
        cores: [one(1, 4, 8, 16)],
        replications: 1,
        lock: one(...locks),
        profile: one("both", "transmit", "receive"),
        ats: one(true, false),
        coherent: one(true, false),
        seed: whole(1, 999),
      }),
    ],
    [
      6,
      "lock-table",
      () => ({
        variants: [one(...variants.slice(2))],
        cores: [one(1, 4, 8, 16)],
        lock: one(...locks),
        profile: one("both", "transmit", "receive"),
        seed: whole(1, 999),
      }),
    ],
    [
      4,
      "lock-sensitivity",
      () => ({
        variant: one(...variants.slice(2, 8)),
        cores: one(2, 8, 16),
        replications: 1,
        each: one(true, false),
        seed: whole(1, 999),
      }),
      4,
    ],
    [
      4,
      "warm-up",
      () => ({
        variants: [one("deferred", "merged-deferred", "magazines-deferred")],
        cores: one(2, 8, 16),
        agedTurns: [whole(0, 3)],
        transactions: whole(500, 2000),
        slices: whole(2, 20),
        seed: whole(1, 999),
      }),
    ],
    [
      34,
      "merged-nodes",
      () => ({
        parts: [one("structure", "walk", "recovery", "recovery", "sweep", "region", "ablation")],
        replications: 1,
        seed: whole(1, 999),
        policies: [one("deferred", "strict", "thread-deferred", "thread-strict")],
        warmup: whole(100, 400),
        transactions: whole(250, 750),
        staticMaps: [whole(64, 9000)],
        inFlight: whole(32, 1024),
        footprintLines: [whole(0, 9000)],
        regionCores: [one(4, 8, 16)],
        regionPairs: [one(1, 2, 4)],
        regionHosts: [one(...hosts)],
        regionStack: [one(0.5, 1, 2)],
        assume: some(0.15, {
          host: () => one("sandy-bridge-ep", "broadwell-ep"),
          cores: () => one(2, 4, 8, 16),
          threads: () => whole(20, 400),
          stack: () => one(0.5, 1, 2),
          stackLines: () => whole(0, 2048),
          profile: () => one("both", "transmit", "receive"),
          mapsPerSide: () => one(0.5, 1, 2),
          rxRing: () => whole(64, 1024),
          twoPageShare: share,
          shuffleCompletions: () => true,
          staticMaps: () => whole(0, 40000),
          holes: () => share() / 2,
          lock: () => one(...locks),
          handoffCycles: () => whole(0, 200),
          storesAtOnce: () => whole(1, 12),
          invalidationCycles: () => whole(200, 8000),
          serialShare: share,
          flows: () => "hashed",
          receiveShare: share,
          workSpread: share,
          pollBudget: () => whole(1, 128),
          refillBatch: () => whole(1, 64),
          interruptGapMicroseconds: () => whole(0, 100),
          transmitMicroseconds: () => whole(0, 100),
          peerMicroseconds: () => whole(1, 200),
          agedPackets: () => whole(1, 16),
          agedStretch: () => whole(1, 64),
          agedInTurn: () => 1,
          agedSentBuffers: () => whole(16, 1024),
        }),
      }),
      4,
    ],
    [
      34,
      "page-sizes",
      () => {
        const part = one("published", "thread", "grid", "grid");
        const common = some(0.2, {
          walkers: () => whole(1, 12),
          iotlbEntries: () => whole(8, 512),
          iotlbBySize: () => "separate",
          replacement: () => one("lru", "fifo", "random"),
          structureEntries: () => whole(0, 64),
          coherentWalks: () => one(true, false),
          hitUnderMiss: () => false,
          deviceTlbEntries: () => whole(0, 512),
          completions: () => "rcb",
          check: () => true,
          pattern: () => "sequential",
          warmth: () => one("device", "host", "cold"),
          tags: () => [whole(4, 128)],
        });
        return {
          parts: [part],
          hosts: [one("hsw", "hsw2", "ivb", "ivb-remote", "snb", "bdw", "cascade-lake")],
          pages: [one("off", "4K", "2M", "1G")],
          directions: [one("read", "write")],
          seed: whole(0, 99),
          ...(part === "grid"
            ? {
                dmaBytes: [one(64, 128, 256, 512, 1024, 4096)],
                windows: [one(65536, 1048576, 16777216, 1073741824)],
                devices: [one(1, 2, 4)],
              }
            : part === "thread"
              ? { dmaBytes: [one(512, 4096)], windows: [17179869184], devices: [1], tags: [256] }
              : {}),
          ...common,
        };
      },
      12,
    ],
    [
      12,
      "machine-check",
      () => ({
        rule: [one("before", "live-read", "shadow", "every-entry", "svm")],
        hostMce: [one(0, 1)],
        guestMce: [one(0, 1)],
      }),
    ],
    [
      10,
      "machine-check-exploration",
      () => ({
        rule: [one("before", "live-read", "shadow", "every-entry", "svm")],
        hostCr4: [one("refreshed", "constant")],
        cpus: whole(1, 2),
        vcpus: whole(1, 2),
        machineChecks: whole(0, 1),
        broadcast: one(true, false),
        situation: [one("nothing changes", "CPUs agree", "all of it")],
      }),
    ],
    [6, "cr4-read-cost", () => ({ host: one(...hosts), linesBetweenExits: [whole(0, 20000)], exits: whole(50, 300) })],
    [
      8,
      "machine-check-fleet",
      () => ({
        rule: [one("before", "live-read", "shadow")],
        hosts: whole(100, 20000),
        machineChecksPerHostYear: share(),
        guestsWithMceClear: [share()],
        timeInGuest: share(),
        replications: whole(2, 30),
        seed: whole(0, 99),
      }),
    ],
  ];
  const total = makers.reduce((sum, [weight]) => sum + weight, 0);
  const drawn = [];
  for (const [weight, experiment, make, most = 6] of makers)
    for (let i = 0; i < Math.round((weight * count) / total); i++) drawn.push({ experiment, config: make(), most });
  return drawn.slice(0, count);
}
