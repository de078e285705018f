/** Builds the language process's snapshot, as a step of the set-up. Ends well also where there can be none: kernels then start cold. */
import { buildSnapshot } from "./snapshot.js";

try {
  buildSnapshot(process.argv[2]);
} catch (error) {
  console.error(
    `TypeScript cells will start slower: no start-up snapshot could be built (${(error as Error).message}).`,
  );
}
