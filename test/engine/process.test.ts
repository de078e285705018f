import { describe, expect, test } from "vitest";
import {
  type Behaviour,
  type Process,
  Processes,
  ready,
  Simulation,
  type Wait,
  waiting,
} from "../../src/engine/index.js";

function lab() {
  const sim = new Simulation();
  const processes = new Processes(sim);
  const log: string[] = [];
  const note = (text: string) => log.push(`${sim.now} ${text}`);
  return { sim, processes, log, note };
}

test("which process runs is asked inside of one", () => {
  const { processes } = lab();
  expect(() => processes.current()).toThrow("inside");
});

describe("a process of a state machine", () => {
  test("begins at once, and goes on within the machine's own event, without one of the processes'", () => {
    const { sim, processes, note, log } = lab();
    let process: Process | undefined;
    const base = sim.attach({ dispatch: () => process?.resume() });
    const busy = (ticks: number): Wait => {
      sim.post(ticks, base);
      return waiting;
    };
    function* work(ticks: number): Behaviour<string> {
      yield ready;
      yield busy(ticks);
      return `after ${ticks}`;
    }
    process = processes.begin("core", function* () {
      note("begun");
      note(yield* work(3));
      note(yield* work(4));
    });
    expect(log).toEqual(["0 begun"]);
    expect(sim.run().events).toBe(2);
    expect(log).toEqual(["0 begun", "3 after 3", "7 after 4"]);
    expect(() => process?.resume()).toThrow('Process "core" has ended');
  });

  test("can wake another one, which runs to its next wait first", () => {
    const { processes, note, log } = lab();
    const sleeper = processes.begin("sleeper", function* () {
      yield waiting;
      note(processes.current().name);
    });
    processes.begin("waker", function* () {
      sleeper.resume();
      note(processes.current().name);
      yield ready;
    });
    expect(log).toEqual(["0 sleeper", "0 waker"]);
  });

  test("ends with what it throws, which the one that resumes it gets", () => {
    const { processes } = lab();
    const process = processes.begin("core", function* () {
      yield waiting;
      throw new Error("no such range");
    });
    expect(() => process.resume()).toThrow("no such range");
    expect(process.ended).toBe(true);
  });
});
