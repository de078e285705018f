import { experimentByName, type Row } from "../experiments/index.js";
import { serve } from "./serve.js";

/** What a worker is given: plain data, so that nothing is shared. */
export interface Task {
  experiment: string;
  /** Address of the module that exports it, for an experiment that is not in the registry. */
  from: string | undefined;
  point: unknown;
}

/** A thread's work: one point. */
async function work({ experiment, from, point }: Task): Promise<Row[]> {
  return (await find(experiment, from)).simulate(point);
}

async function find(name: string, from: string | undefined): Promise<{ simulate(point: unknown): Row[] }> {
  if (from === undefined) return experimentByName(name);
  const exported = Object.values((await import(from)) as Record<string, unknown>);
  const found = exported.find((item) => (item as { name?: unknown } | null)?.name === name);
  if (!found) throw new Error(`${from} exports no experiment "${name}".`);
  return found as { simulate(point: unknown): Row[] };
}

serve(work);
