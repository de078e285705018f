/** Parts of Node that have no public name. Who uses them must do without, where a Node has others. */
import { createRequire } from "node:module";

/** What the executor is started with where `process.binding` no longer gives them. */
export const internalsSwitches: readonly string[] =
  Number(process.versions.node.split(".")[0]) > 22
    ? ["--expose-internals", "--disable-warning=internal/test/binding"]
    : [];

/**
 * A part of Node's native side.
 * @throws where this Node does not give it
 */
export function internals<T>(name: string): T {
  try {
    return (process as unknown as { binding(name: string): unknown }).binding(name) as T;
  } catch {
    const { internalBinding } = createRequire(import.meta.url)("internal/test/binding") as {
      internalBinding(name: string): unknown;
    };
    return internalBinding(name) as T;
  }
}
