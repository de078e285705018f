/**
 * What of ECMAScript the running Node has, in the names of TypeScript's declarations. What a cell is checked against has to be what it runs on:
 * a name that only the declarations know passes the checker and fails, and one that only the engine knows is refused.
 */

/**
 * Declarations that not every supported Node fulfils, each with something of them. The rest is in options.ts. Holders are looked at when they are asked for:
 * where the start-up snapshot is built, the engine has no Atomics.
 */
const parts: Record<string, [holder: () => object | undefined, name: PropertyKey]> = {
  "es2024.arraybuffer": [() => ArrayBuffer.prototype, "transfer"],
  "es2024.collection": [() => Map, "groupBy"],
  "es2024.object": [() => Object, "groupBy"],
  "es2024.promise": [() => Promise, "withResolvers"],
  "esnext.array": [() => Array, "fromAsync"],
  "esnext.collection": [() => Set.prototype, "union"],
  "esnext.disposable": [() => globalThis, "DisposableStack"],
  "esnext.error": [() => Error, "isError"],
  "esnext.float16": [() => globalThis, "Float16Array"],
  "esnext.iterator": [() => globalThis, "Iterator"],
  "esnext.promise": [() => Promise, "try"],
  "esnext.sharedmemory": [() => (globalThis as { Atomics?: object }).Atomics, "pause"],
};

/** Files of the declarations that this Node fulfils, beyond those that every one does. */
export function newerLibraries(): string[] {
  return Object.entries(parts)
    .filter(([, [holderOf, name]]) => {
      const holder = holderOf();
      return holder !== undefined && name in holder;
    })
    .map(([part]) => `lib.${part}.d.ts`);
}
