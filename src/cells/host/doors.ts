/** The rooms of this package that a cell can import. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** The package's doors, as its `exports` say: where they are declared, and the names that a cell may import. */
export function packageDoors(packageRoot: string): { paths: Record<string, string[]>; doors: string[] } {
  const { exports } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  const paths: Record<string, string[]> = {};
  const doors = new Set<string>();
  for (const [door, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    paths[door.replace(/^\./, "iommu-lab")] = [join(packageRoot, target.types)];
    if (!door.includes("*")) continue;
    const [before, after] = join(packageRoot, target.types).split("*");
    for (const name of folders(dirname(`${before}x`))) {
      if (!statSync(`${before}${name}${after}`, { throwIfNoEntry: false })) continue;
      const room = door.replace(/^\./, "iommu-lab").replace("*", name);
      doors.add(room);
      // By itself: only so it is offered while its name is being written.
      paths[room] ??= [`${before}${name}${after}`];
    }
  }
  return { paths, doors: [...doors].sort() };
}

/** Rooms that run notebooks and do not stand in any. */
const behind = ["cells", "cli", "deprecated", "files", "jupyter", "lab", "site"];

/** The doors of the rooms that notebooks are about. */
export function notebookRooms(packageRoot: string): string[] {
  return packageDoors(packageRoot).doors.filter((door) => !behind.includes(door.replace(/^iommu-lab\//, "")));
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}
