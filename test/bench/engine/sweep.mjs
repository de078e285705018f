// A sweep of 40 even points of half a second or more: two workers against one, in turns, in one run.
import { availableParallelism } from "node:os";
import { sweep } from "iommu-lab/sweep";
import { even } from "./support/even.mjs";

const from = new URL("./support/even.mjs", import.meta.url).href;
const space = { seeds: Array.from({ length: 40 }, (_, i) => [i]) };

/** Prints the table. Called by bench.mjs. */
export async function run() {
  const timed = async (jobs, events) => {
    const began = performance.now();
    const { table } = await sweep(even, { ...space, events: [events] }, { jobs, from });
    return { seconds: (performance.now() - began) / 1000, bytes: JSON.stringify(table.objects()) };
  };
  // Finds how many events half a second takes here, on a point that is already compiled.
  const trial = 2_000_000;
  even.simulate({ seed: 0, events: trial });
  const began = performance.now();
  even.simulate({ seed: 0, events: trial });
  const events = Math.ceil((trial * 550) / (performance.now() - began));
  const one = await timed(1, events);
  const two = await timed(2, events);
  console.log(`\nsweep of 40 even points on ${availableParallelism()} cores`);
  console.log(`  1 worker    ${one.seconds.toFixed(1).padStart(6)} s   (${(one.seconds / 40).toFixed(2)} s a point)`);
  console.log(
    `  2 workers   ${two.seconds.toFixed(1).padStart(6)} s   ${(two.seconds / one.seconds).toFixed(2)} of one worker's`,
  );
  console.log(`  same bytes: ${one.bytes === two.bytes ? "yes" : "NO"}`);
}
