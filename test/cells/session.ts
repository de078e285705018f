import { textOf } from "../../src/cells/display/bundle.js";
import type { Language } from "../../src/cells/host/language.js";
import type { Loading } from "../../src/cells/host/loading.js";
import { createScope } from "../../src/cells/host/scope.js";
import { packageRoot } from "../../src/cells/index.js";

/** This process is never terminated: loads are what they are. */
const unwatched: Loading = {
  whole: (load) => load(),
  onInterrupt() {},
  interrupted() {},
  afterTermination() {},
};

/**
 * Runs cells in this very process: compiler and scope without the processes around them.
 * @returns what runs a cell, and gives its value as text, or its error
 */
export function cellSession(
  language: Language,
  root: string = packageRoot,
): (code: string) => Promise<string | undefined> {
  language.restore([]);
  language.forget();
  const scope = createScope(packageRoot, root, `${root}/notebook.ipynb`, unwatched);
  let count = 0;
  return async (code) => {
    const result = language.compile(code);
    if (!result.ok) return `TS${result.diagnostics[0].code}: ${result.diagnostics[0].message}`;
    scope.addSideModules(result.cell.sideModules);
    const begin = scope.beginCell(`cell [${++count}]`, result.cell);
    try {
      const { value } = await begin();
      scope.endCell();
      language.commit(result.cell.declarations);
      return value === undefined ? undefined : textOf(value);
    } catch (error) {
      language.commit(result.cell.declarations, scope.endCell());
      return String(error);
    }
  };
}
