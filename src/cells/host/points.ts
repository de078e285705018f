/**
 * The points that this user's programs have computed, for cells: experiments ask for them where a process offers them, under
 * `Symbol.for("iommu-lab.points")`, and find them by the name of the room that keeps them. It is loaded when the first run asks.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

interface Points {
  forget(): void;
}

interface Room {
  userPoints(): Points | undefined;
}

/** Offers them to the experiments of this process. @returns what forgets them */
export function offerPoints(packageRoot: string): () => Promise<void> {
  const module = pathToFileURL(join(packageRoot, "dist", "sweep", "index.js")).href;
  // Beside the function: what it gave last, for what cannot wait.
  const open = Object.assign(
    async (): Promise<Points | undefined> => {
      open.latest = ((await import(module)) as Room).userPoints();
      return open.latest;
    },
    { latest: undefined as Points | undefined },
  );
  Object.defineProperty(globalThis, Symbol.for("iommu-lab.points"), {
    value: open,
    configurable: true,
    enumerable: false,
  });
  return async () => (await open())?.forget();
}
