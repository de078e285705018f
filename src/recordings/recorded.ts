import { recorded } from "./generated.js";
import { type Trace, TraceError } from "./trace.js";
import { decodeTrace } from "./trace-codec.js";

const loaded = new Map<string, Trace>();

/** Names of the recorded traces in data/traces. */
export function traceNames(): string[] {
  return Object.keys(recorded);
}

/**
 * A recorded trace of data/traces, decoded on first use.
 * @param name "igb" (transmit buffers only, two NICs of 8 queues and 4,096 descriptors) or "vmxnet3" (receive buffers only, 4 queues)
 * @throws TraceError naming the traces there are.
 */
export function loadTrace(name: "igb" | "vmxnet3" | (string & {})): Trace {
  const known = loaded.get(name);
  if (known) return known;
  if (!Object.hasOwn(recorded, name)) {
    throw new TraceError(`there is no recorded trace "${name}"; there are ${traceNames().join(", ")}.`);
  }
  const trace = decodeTrace(recorded[name], `data/traces/${name}.trace.json`);
  loaded.set(name, trace);
  return trace;
}
