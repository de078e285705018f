// A process of its own with kept threads: it runs out of memory in one, goes on, and then has nothing more to do.
import { WorkerPool } from "../../dist/sweep/worker-pool.js";

const script = new URL("./errands.mjs", import.meta.url).href;
const ask = async (task) => {
  const pool = new WorkerPool(script, { jobs: 2, keep: true });
  return pool.run(task, "an errand").finally(() => pool.end());
};
console.log(await ask({ answer: "first" }));
await ask({ fill: true }).catch(({ message }) => console.log(message));
console.log(await ask({ answer: "last" }));
