import { describe, expect, test } from "vitest";
import {
  type Behaviour,
  Interrupt,
  type Process,
  Processes,
  Resource,
  ready,
  Signal,
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

test("processes wait for time and take turns at a server", () => {
  const { sim, processes, log, note } = lab();
  const server = new Resource(processes);
  for (const name of ["a", "b", "c"])
    processes.start(name, function* () {
      yield processes.timeout(name === "c" ? 5 : 10);
      yield server.acquire();
      note(`${name} in`);
      yield processes.timeout(20);
      note(`${name} out`);
      server.release();
    });
  sim.run();
  expect(log).toEqual(["5 c in", "25 c out", "25 a in", "45 a out", "45 b in", "65 b out"]);
  expect([server.inUse, server.waiting]).toEqual([0, 0]);
});

test("a signal wakes all that wait, in their order, with its value", () => {
  const { sim, processes, log, note } = lab();
  const signal = new Signal(processes);
  for (const name of ["a", "b"])
    processes.start(name, function* () {
      note(`${name} ${yield signal.wait()}`);
    });
  processes.start("c", function* () {
    yield processes.timeout(3);
    signal.fire("go");
  });
  sim.run();
  expect(log).toEqual(["3 a go", "3 b go"]);
});

test("joining waits for the end, and is ready at once after it", () => {
  const { sim, processes, log, note } = lab();
  const worker = processes.start("worker", function* () {
    yield processes.timeout(7);
  });
  processes.start("boss", function* () {
    yield worker.join();
    note("joined");
    yield worker.join();
    note("again");
  });
  sim.run();
  expect(log).toEqual(["7 joined", "7 again"]);
  expect(worker.ended).toBe(true);
});

describe("an interrupt", () => {
  test("breaks off a timeout: its event never comes", () => {
    const { sim, processes, log, note } = lab();
    const sleeper = processes.start("sleeper", function* () {
      try {
        yield processes.timeout(1000);
      } catch (error) {
        note(`${(error as Interrupt).reason}`);
      }
      yield processes.timeout(5);
      note("on");
    });
    processes.start("other", function* () {
      yield processes.timeout(10);
      expect(sleeper.interrupt("wake up")).toBe(true);
    });
    expect(sim.run().now).toBe(15);
    expect(log).toEqual(["10 wake up", "15 on"]);
    expect(sleeper.interrupt("too late")).toBe(false);
  });

  test("takes a process out of the queue it stands in, and the others keep their order", () => {
    const { sim, processes, log, note } = lab();
    const server = new Resource(processes);
    const clients = ["a", "b", "c", "d"].map((name) =>
      processes.start(name, function* () {
        try {
          yield* server.hold(10);
          note(`${name} served`);
        } catch (error) {
          if (!(error instanceof Interrupt)) throw error;
          note(`${name} left`);
        }
      }),
    );
    processes.start("other", function* () {
      yield processes.timeout(5);
      clients[2].interrupt("leave");
      clients[0].interrupt("leave while served");
    });
    sim.run();
    expect(log).toEqual(["5 c left", "5 a left", "15 b served", "25 d served"]);
    expect(server.inUse).toBe(0);
  });

  test("loses nothing that was granted at the same tick: the next wait is interrupted instead", () => {
    const { sim, processes, log, note } = lab();
    const server = new Resource(processes);
    processes.start("holder", function* () {
      yield server.acquire();
      yield processes.timeout(10);
      server.release();
      client.interrupt("now");
    });
    const client = processes.start("client", function* () {
      yield server.acquire();
      note("granted");
      try {
        yield processes.timeout(100);
      } catch {
        note("interrupted");
      } finally {
        server.release();
      }
    });
    sim.run();
    expect(log).toEqual(["10 granted", "10 interrupted"]);
    expect(server.inUse).toBe(0);
    expect(sim.now).toBe(10);
  });

  test("of a process that has not started arrives at its first wait; of itself is refused", () => {
    const { sim, processes, log, note } = lab();
    const early = processes.start("early", function* () {
      note("started");
      try {
        yield processes.timeout(100);
      } catch {
        note("interrupted");
      }
    });
    early.interrupt("at once");
    processes.start("self", function* (self) {
      yield processes.timeout(1);
      self.interrupt("me");
    });
    expect(() => sim.run()).toThrow('"self"');
    expect(log).toEqual(["0 started", "0 interrupted"]);
  });
});

test("an error in a process comes out of the run, and the rest can go on", () => {
  const { sim, processes, log, note } = lab();
  const broken = processes.start("broken", function* () {
    yield processes.timeout(1);
    throw new Error("broken model");
  });
  processes.start("waiting for it", function* () {
    yield broken.join();
    note("ended");
  });
  expect(() => sim.run()).toThrow("broken model");
  sim.run();
  expect(log).toEqual(["1 ended"]);
});

test("mistakes are named: waiting outside of a process, a wait not yielded, a release too many", () => {
  const { sim, processes } = lab();
  expect(() => processes.timeout(1)).toThrow("inside");
  expect(() => new Resource(processes, 0)).toThrow("capacity");
  expect(() => new Resource(processes).release()).toThrow("released");
  processes.start("forgetful", function* () {
    processes.timeout(1);
    yield processes.timeout(2);
  });
  expect(() => sim.run()).toThrow('"forgetful"');
});

test("thousands of processes come and go, and names of ended ones are used again safely", () => {
  const { sim, processes } = lab();
  const server = new Resource(processes, 3);
  let served = 0;
  processes.start("source", function* () {
    for (let i = 0; i < 5000; i++) {
      processes.start(`client ${i}`, function* () {
        yield* server.hold(1 + (i % 7));
        served++;
      });
      yield processes.timeout(1 + (i % 3));
    }
  });
  sim.run();
  expect(served).toBe(5000);
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
