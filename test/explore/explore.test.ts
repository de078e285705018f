import { describe, expect, test } from "vitest";
import { explore, formatTrace, type Model, type Property } from "../../src/explore/index.js";
import { fc } from "../support/property.js";

/** Two processes, each with a program counter of two bits; word 0 packs pc0, pc1 and the shared variables. */
function mutex(name: string, step: (pc: number[], shared: number, who: number) => [number, number] | undefined): Model {
  const unpack = (w: number): [number[], number] => [[w & 7, (w >> 3) & 7], w >>> 6];
  return {
    name,
    words: 1,
    initial(out, emit) {
      out[0] = 0;
      emit();
    },
    next(state, out, emit) {
      for (let who = 0; who < 2; who++) {
        const [pc, shared] = unpack(state[0]);
        const moved = step(pc, shared, who);
        if (!moved) continue;
        pc[who] = moved[0];
        out[0] = pc[0] | (pc[1] << 3) | (moved[1] << 6);
        emit(who);
      }
    },
    actionName: (action) => `process ${action} moves`,
    describe: (state) => `pc ${unpack(state[0])[0].join(" and ")}, shared ${unpack(state[0])[1]}`,
  };
}

/** Tests the flag of the other, then sets its own: both can be inside. pc 0 test, 1 set, 2 inside. */
const broken = mutex("test then set", (pc, flags, who) => {
  if (pc[who] === 0) return flags & (1 << (1 - who)) ? undefined : [1, flags];
  if (pc[who] === 1) return [2, flags | (1 << who)];
  return [0, flags & ~(1 << who)];
});

/** Peterson's algorithm: flag own, give the turn away, wait, inside. Shared: flags in bits 0 and 1, turn in bit 2. */
const peterson = mutex("Peterson", (pc, shared, who) => {
  const other = 1 - who;
  switch (pc[who]) {
    case 0:
      return [1, shared | (1 << who)];
    case 1:
      return [2, (shared & 3) | (other << 2)];
    case 2:
      return shared & (1 << other) && shared >> 2 === other ? undefined : [3, shared];
    default:
      return [0, shared & ~(1 << who)];
  }
});

const neverBoth = (inside: number): Property => ({
  name: "mutual exclusion",
  holds: (state) => !((state[0] & 7) === inside && ((state[0] >> 3) & 7) === inside),
});

describe("two processes and one critical section", () => {
  test("testing before setting is broken, and the shortest trace shows how: test, test, set, set", () => {
    const result = explore(broken, { properties: [neverBoth(2)] });
    expect(result.complete).toBe(true);
    expect(result.violations).toHaveLength(1);
    expect(result.violations[0].trace).toHaveLength(5);
    const text = formatTrace(result.violations[0].trace);
    expect(text).toContain("(start)");
    expect(text).toContain("process 0 moves");
    expect(text).toContain("pc 2 and 2");
  });

  test("Peterson's algorithm is right in every reachable state", () => {
    const result = explore(peterson, { properties: [neverBoth(3)] });
    expect(result).toMatchObject({ complete: true, violations: [], deadlocks: 0, states: 20 });
  });
});

/** A counter of `n` independent bits that can each be flipped: 2^n states, symmetric under permutation. */
function bits(n: number, symmetric: boolean): Model {
  const model: Model = {
    name: "bits",
    words: 1,
    initial(out, emit) {
      out[0] = 0;
      emit();
    },
    next(state, out, emit) {
      for (let i = 0; i < n; i++) {
        out[0] = state[0] ^ (1 << i);
        emit(i);
      }
    },
    actionName: (action) => `flip bit ${action}`,
    describe: (state) => state[0].toString(2),
  };
  if (symmetric) {
    model.canonical = (state) => {
      let ones = 0;
      for (let i = 0; i < n; i++) ones += (state[0] >>> i) & 1;
      state[0] = 2 ** ones - 1;
    };
  }
  return model;
}

describe("exploration", () => {
  test("the levels of a hypercube are the binomial coefficients", () => {
    expect(explore(bits(6, false)).statesByDepth).toEqual([1, 6, 15, 20, 15, 6, 1]);
  });

  test("a symmetry leaves one state a class, and a trace is still a path of real states", () => {
    const property = { name: "never three", holds: (s: Uint32Array) => s[0] !== 7 };
    const result = explore(bits(6, true), { properties: [property] });
    expect(result.states).toBe(7);
    const { trace } = result.violations[0];
    expect(trace.map((step) => step.state[0].toString(2).replace(/0/g, "").length)).toEqual([0, 1, 2, 3]);
    for (let i = 1; i < trace.length; i++) {
      const changed = trace[i].state[0] ^ trace[i - 1].state[0];
      expect(changed & (changed - 1)).toBe(0);
    }
  });

  test("a bound that is reached is reported as incomplete, never as a proof", () => {
    const result = explore(bits(12, false), { maxStates: 100 });
    expect(result).toMatchObject({ complete: false, states: 100 });
  });

  test("a bound that is exactly enough is complete", () => {
    expect(explore(bits(6, false), { maxStates: 64 })).toMatchObject({ complete: true, states: 64 });
  });

  test("a listener can stop it", () => {
    expect(explore(bits(12, false), { progressEvery: 10, onProgress: (n) => n < 50 }).complete).toBe(false);
  });

  test("states without successors are counted as deadlocks", () => {
    const end: Model = { ...bits(1, false), next: () => {} };
    expect(explore(end)).toMatchObject({ deadlocks: 1, states: 1, complete: true });
  });

  test("a bound that makes no sense is refused by name", () => {
    expect(() => explore(bits(2, false), { maxStates: 0 })).toThrow("maxStates is 0");
  });

  test("stopping at the first failure leaves the rest unexplored", () => {
    const property = { name: "never one", holds: (s: Uint32Array) => s[0] !== 1 };
    expect(explore(bits(12, false), { properties: [property], stopAtFirst: true }).states).toBeLessThan(50);
  });

  test("any random graph: the same states, levels and shortest distances as a naive search", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.tuple(fc.nat(39), fc.nat(39)), { maxLength: 120 }),
        (n, raw) => {
          const edges = raw.map(([a, b]) => [a % n, b % n]);
          const model: Model = {
            name: "graph",
            words: 2,
            initial(out, emit) {
              out.set([0, 7]);
              emit();
            },
            next(state, out, emit) {
              for (const [i, [a, b]] of edges.entries()) {
                if (a !== state[0]) continue;
                out.set([b, 7]);
                emit(i);
              }
            },
            actionName: (action) => `edge ${action}`,
            describe: (state) => `node ${state[0]}`,
          };
          const distance = new Map([[0, 0]]);
          for (const queue = [0]; queue.length > 0; ) {
            const at = queue.shift() as number;
            for (const [a, b] of edges) {
              if (a === at && !distance.has(b)) {
                distance.set(b, (distance.get(at) as number) + 1);
                queue.push(b);
              }
            }
          }
          const result = explore(model, {
            properties: Array.from({ length: n }, (_, k) => ({
              name: String(k),
              holds: (s: Uint32Array) => s[0] !== k,
            })),
          });
          expect(result.states).toBe(distance.size);
          expect(result.violations).toHaveLength(distance.size);
          for (const { property, trace } of result.violations)
            expect(trace.length - 1).toBe(distance.get(Number(property)));
        },
      ),
      { numRuns: 300, seed: 8 },
    );
  });
});
