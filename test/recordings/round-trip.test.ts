import { describe, expect, test } from "vitest";
import { importTrace, loadTrace, Op, phaseRange, type Trace } from "../../src/recordings/index.js";
import { type Form, forms, print } from "./print.js";

const names = Object.keys(forms) as Form[];

/** Operations that differ in what a request is; times differ in their last digits. */
function different(a: Trace, b: Trace): number {
  const columns = ["op", "cpu", "iovaPfn", "pages"] as const;
  let count = 0;
  for (let op = 0; op < a.length; op++) if (columns.some((column) => a[column][op] !== b[column][op])) count++;
  return count;
}

/** Some operations of a trace, without the unmaps of what was mapped before. */
function part(trace: Trace, first: number, end: number): Trace {
  const numbers = new Map<number, number>();
  const kept: number[] = [];
  for (let op = first; op < end; op++)
    if (trace.op[op] === Op.map || trace.partner[op] >= first) numbers.set(op, kept.push(op) - 1);
  const of = <T extends { length: number }>(column: { from(values: number[]): T }, values: ArrayLike<number>): T =>
    column.from(kept.map((op) => values[op]));
  return {
    ...trace,
    length: kept.length,
    op: of(Uint8Array, trace.op),
    cpu: of(Uint16Array, trace.cpu),
    device: of(Uint16Array, trace.device),
    iovaPfn: of(Float64Array, trace.iovaPfn),
    pages: of(Uint32Array, trace.pages),
    bytes: of(Uint32Array, trace.bytes),
    timeNs: of(Float64Array, trace.timeNs),
    direction: of(Uint8Array, trace.direction),
    kind: of(Uint8Array, trace.kind),
    context: of(Uint8Array, trace.context),
    paddrPfn: of(Float64Array, trace.paddrPfn),
    partner: Int32Array.from(kept, (op) => numbers.get(trace.partner[op]) ?? -1),
  };
}

describe.each(["igb", "vmxnet3"] as const)("%s printed and read back", (name) => {
  const whole = loadTrace(name);
  const { first } = phaseRange(whole, "rr");

  test.each(names)("%s: the same requests, device for device where they are named", (form) => {
    const trace = form === "cat trace" || form === "dma:*" ? whole : part(whole, first, first + 20_000);
    const operations = trace.length;
    const { trace: read } = importTrace(print(trace, form), { file: "x" });
    expect(read.length).toBe(operations);
    expect(different(read, trace)).toBe(0);
    const { unreadable, unmatchedUnmaps, lostUnmaps, named } = read.account;
    expect({ unreadable, unmatchedUnmaps, lostUnmaps, named }).toEqual({
      unreadable: 0,
      unmatchedUnmaps: 0,
      lostUnmaps: 0,
      named: forms[form].named,
    });
    expect(read.devices).toHaveLength(2);
    if (!forms[form].named) return;
    const device = (of: Trace, op: number) => of.devices[of.device[op]].id;
    let wrong = 0;
    for (let op = 0; op < operations; op++) {
      if (device(read, op) !== device(trace, op)) wrong++;
      if (read.op[op] === Op.unmap && read.partner[op] !== trace.partner[op]) wrong++;
    }
    expect(wrong).toBe(0);
  });
});
