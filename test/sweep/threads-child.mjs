// A process of its own with kept threads: it runs out of memory in one, goes on, and then has nothing more to do.
import { Crew } from "../../dist/sweep/threads.js";

const script = new URL("./errands.mjs", import.meta.url).href;
const ask = async (task) => {
  const crew = new Crew(script, { jobs: 2, keep: true });
  return crew.run(task, "an errand").finally(() => crew.end());
};
console.log(await ask({ answer: "first" }));
await ask({ fill: true }).catch(({ message }) => console.log(message));
console.log(await ask({ answer: "last" }));
