import { decodeTrace } from "./format/codec.js";
import { recorded } from "./generated.js";
import { type Trace, TraceError } from "./trace.js";

/** Names of the recorded traces in data/traces. */
export function traceNames(): string[] {
  return Object.keys(recorded);
}

/**
 * A recorded trace of data/traces, decoded at each call (some 50 ms).
 * @param name "igb" (transmit buffers only, two NICs of 8 queues and 4,096 descriptors) or "vmxnet3" (receive buffers only, 4 queues)
 * @throws TraceError naming the traces there are.
 */
export function loadTrace(name: "igb" | "vmxnet3" | (string & {})): Trace {
  if (!Object.hasOwn(recorded, name)) {
    throw new TraceError(`there is no recorded trace "${name}"; there are ${traceNames().join(", ")}.`);
  }
  return decodeTrace(recorded[name], `data/traces/${name}.trace.json`);
}
