import { type RandomStream, Simulation } from "../../engine/index.js";
import { ContendedLine } from "../locks/contended-line.js";
import type { Machine } from "../memory/machine.js";

/**
 * Measures what it takes to hand a line from one CPU to another, as core-to-core-latency does: both CPUs try, without a pause, to turn
 * a flag by compare-and-exchange; one turns it to 1, the other back to 0.
 * @returns core cycles one way: half a round trip, averaged over `rounds` after a warm-up
 */
export function pingPong(machine: Machine, cpuA: number, cpuB: number, rounds = 200): number {
  const { base } = machine.region({ name: `flag of ${cpuA} and ${cpuB}`, bytes: 64, home: machine.socket(cpuA) });
  const line = new ContendedLine(machine, base);
  const simulation = new Simulation();
  let flag = 0;
  let turns = 0;
  let began = 0;
  const warmUp = 20;
  const kind = simulation.attach({
    dispatch(_kind, cpu) {
      const done = line.atomic(cpu, simulation.now);
      if (flag === (cpu === cpuA ? 0 : 1)) {
        flag = 1 - flag;
        if (++turns === warmUp) began = done;
        if (turns === warmUp + 2 * rounds) {
          began = (done - began) / (2 * rounds);
          simulation.stop();
        }
      }
      simulation.post(done - simulation.now, kind, cpu);
    },
  });
  simulation.post(0, kind, cpuA);
  simulation.post(0, kind, cpuB);
  simulation.run();
  return began;
}

/**
 * Measures the line time c of the published lock model (record H12): the k CPUs at a ticket lock wait c·k/2 for the lock's line on average.
 * One CPU writes the line, which the others had copies of, and they fetch it again in arbitrary order, as after every release.
 * @param cpus who takes part (k of them); they write in turn
 * @param random decides the order
 * @returns core cycles: twice the mean time from the store's begin until a waiter has the line, divided by k; 0 for a single CPU
 */
export function lineTime(machine: Machine, cpus: readonly number[], random: RandomStream, rounds = 200): number {
  const k = cpus.length;
  if (k < 2) return 0;
  const { base } = machine.region({ name: `line of ${k} CPUs`, bytes: 64, home: 0 });
  const line = new ContendedLine(machine, base);
  const order = [...cpus];
  let now = 0;
  let cycles = 0;
  for (let round = -k; round < rounds; round++) {
    const writer = cpus[(round + k) % k];
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const stored = line.write(writer, now);
    let last = stored;
    for (const reader of order) {
      if (reader === writer) continue;
      const seen = line.read(reader, stored);
      if (seen > last) last = seen;
      if (round >= 0) cycles += seen - now;
    }
    now = last + 1000;
  }
  return ((cycles / rounds / (k - 1)) * 2) / k;
}
