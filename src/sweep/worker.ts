import type { Row } from "../experiments/index.js";
import { type Basis, basisOf, Facts } from "../facts/index.js";
import { serve } from "./serve.js";

/** What a worker is given: plain data, so that nothing is shared. */
export interface Task {
  experiment: string;
  /** Address of the module that exports it, for an experiment that is not in the registry. */
  from: string | undefined;
  point: unknown;
}

/** A point's rows, the records and files that they rest on, and how long they took. */
export interface Done {
  rows: Row[];
  reads: string[];
  seconds: number;
}

/** What this thread's points rest on: its memo is kept from one point to the next. */
const basis = basisOf(Facts.published());

/** A thread's work: one point. */
async function work({ experiment, from, point }: Task): Promise<Done> {
  const reads = new Set<string>();
  const facts = basis.facts.noting((name) => reads.add(name));
  const found = await find(experiment, from);
  const began = performance.now();
  const rows = found.simulate(point, { ...basis, facts });
  return { rows, reads: [...reads], seconds: (performance.now() - began) / 1000 };
}

async function find(
  name: string,
  from: string | undefined,
): Promise<{ simulate(point: unknown, basis: Basis): Row[] }> {
  // Only here: a thread for an experiment of somebody else's is there in a third of the time without all of ours.
  if (from === undefined) return (await import("../experiments/index.js")).experimentByName(name);
  const exported = Object.values((await import(from)) as Record<string, unknown>);
  const found = exported.find((item) => (item as { name?: unknown } | null)?.name === name);
  if (!found) throw new Error(`${from} exports no experiment "${name}".`);
  return found as { simulate(point: unknown, basis: Basis): Row[] };
}

serve(work);
