import { type Trace, TraceBuilder } from "../../src/recordings/index.js";
import { fc } from "../support/property.js";

/** A step of a random history: map somewhere in a small space, or unmap the n-th live range. */
const step = fc.record({
  wait: fc.nat(1_000_000),
  cpu: fc.nat(31),
  unmap: fc.boolean(),
  device: fc.nat(2),
  pfn: fc.nat(60),
  pages: fc.integer({ min: 1, max: 9 }),
  which: fc.nat(),
  bytes: fc.nat(70_000),
  direction: fc.nat(3),
  kind: fc.nat(3),
  context: fc.nat(3),
  paddrPfn: fc.integer({ min: -1, max: 2 ** 40 }),
  newPhase: fc.nat(20),
});

/** Random traces that keep the invariants: unmaps end live maps, live ranges of a device do not overlap. */
export const anyTrace = (maxLength = 120): fc.Arbitrary<Trace> =>
  fc.array(step, { maxLength }).map((steps) => {
    const builder = new TraceBuilder();
    for (const id of ["a", "b", "c"]) builder.device(id, "driver", "");
    builder.beginPhase("first", -5);
    const live: { device: number; iovaPfn: number }[] = [];
    let timeNs = 0;
    for (const { wait, cpu, unmap, device, pfn, which, newPhase, ...rest } of steps) {
      timeNs += wait;
      if (newPhase === 0) builder.beginPhase(`phase ${builder.length}`, timeNs);
      if (unmap && live.length > 0) {
        const [end] = live.splice(which % live.length, 1);
        builder.unmap({ timeNs, cpu, context: rest.context, ...end });
      } else if (builder.overlapping(device, pfn, rest.pages) === undefined) {
        builder.map({ timeNs, cpu, device, iovaPfn: pfn, ...rest });
        live.push({ device, iovaPfn: pfn });
      }
    }
    return builder.build({
      name: "any",
      title: "any",
      source: "random",
      kernel: "",
      mode: "unknown",
      clock: "",
      caveats: [],
    });
  });
