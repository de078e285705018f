/** Runs compiled cells: their names in boxes that all cells share, their imports done before they run. */
import vm from "node:vm";
import { Names } from "../heart/names.js";
import { boxName, hostName } from "../heart/rewrite.js";
import type { Loading } from "./loading.js";
import { createModules } from "./modules.js";
import { createPatience } from "./patience.js";
import type { CompiledCell } from "./protocol.js";

/** The value of a cell's last expression: in a box, since it may itself be a promise. */
export interface Ended {
  value: unknown;
}

/** The scope of one session. */
export interface Scope {
  addSideModules: ReturnType<typeof createModules>["add"];
  /** Prepares a cell; the function returned runs it, and gives the value of its last expression. */
  beginCell(name: string, cell: CompiledCell): () => Ended | Promise<Ended>;
  /**
   * Ends the cell; returns the names that it has assigned.
   * @param stopped it was interrupted: what it waits for does not let it go on any more
   */
  endCell(stopped?: boolean): string[];
}

/**
 * Creates an empty scope.
 * @param packageRoot where `iommu-lab/…` is found when the root folder does not have it
 * @param root the folder that relative imports start from
 * @param notebook the notebook's file, as far as it is known
 * @param loading keeps modules whole
 */
export function createScope(packageRoot: string, root: string, notebook: string, loading: Loading): Scope {
  const names = new Names();
  const modules = createModules(packageRoot, root, notebook, loading);
  let end: (() => string[]) | undefined;
  let stop: (() => void) | undefined;

  const bind = async ({ specifier, bindings }: CompiledCell["imports"][number]): Promise<void> => {
    const loaded = await modules.load(specifier);
    for (const [local, exported] of bindings) {
      const box = names.box(local);
      if (exported === "*") box.live(() => loaded);
      else if (exported === "=") {
        const value = modules.require(specifier);
        box.live(() => value);
      } else box.live(() => (loaded as Record<string, unknown>)[exported]);
    }
  };

  return {
    addSideModules: modules.add,
    beginCell(name, cell) {
      end = names.begin(cell.declares);
      modules.link(cell.localImports);
      if (cell.code === undefined) return () => ({ value: undefined });
      const parameters = [
        hostName,
        "require",
        "module",
        "exports",
        "__filename",
        "__dirname",
        ...cell.uses.map((used) => boxName(used)),
      ];
      const patience = createPatience();
      stop = patience.stop;
      const { live, lives } = patience;
      const host = { import: modules.load, meta: modules.meta, last: undefined as unknown, live, lives };
      const { filename } = modules.module;
      const args = [host, modules.require, modules.module, modules.module.exports, filename, modules.meta["dirname"]];
      const boxes = cell.uses.map((used) => names.box(used));
      return () => {
        const head = `(${cell.isAsync ? "async " : ""}function (${parameters.join(", ")}) { "use strict";`;
        const run = vm.runInThisContext(`${head}\n${cell.code}\n})`, { filename: name, lineOffset: -1 }) as (
          ...args: unknown[]
        ) => unknown;
        const call = () => run.call(globalThis, ...args, ...boxes);
        if (cell.imports.length === 0 && !cell.isAsync) {
          call();
          return { value: host.last };
        }
        return (async () => {
          for (const each of cell.imports) await live(bind(each));
          await call();
          return { value: host.last };
        })();
      };
    },
    endCell(stopped = false) {
      if (stopped) stop?.();
      const assigned = end?.() ?? [];
      end = undefined;
      stop = undefined;
      return assigned;
    },
  };
}
