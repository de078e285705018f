/** The data as it was generated, or with some of its numbers changed for a while; and who reads what. */
import { hardware, observations, published } from "./generated.js";

/** The files of data/, by folder and name. */
export interface RawData {
  published: Record<string, unknown>;
  hardware: Record<string, unknown>;
  observations: Record<string, unknown>;
}

/** One value of data/ and what stands in its place. */
export interface DataChange {
  /** Where it stands: the folder, the file, then keys and positions: ["hardware", "hsw", "values", "mps", "value"]. */
  path: readonly (string | number)[];
  value: unknown;
}

const original = { published, hardware, observations } as RawData;
let data = original;
let key = "";
const forgetters: (() => void)[] = [];
let listener: ((name: string) => void) | undefined;

/** The data in force. */
export function rawData(): RawData {
  return data;
}

/**
 * Puts other values in the place of some of the data's, from now on and in this thread alone; an empty list takes them back. It is for
 * asking what depends on a figure. Whoever keeps something that follows from the data registers with {@link onDataChange}.
 * @throws RangeError naming a path where nothing stands
 */
export function changeData(changes: readonly DataChange[]): void {
  const next = changes.length === 0 ? original : structuredClone(original);
  for (const { path, value } of changes) {
    let place: unknown = next;
    for (const step of path.slice(0, -1)) place = (place as Record<string | number, unknown> | undefined)?.[step];
    const last = path[path.length - 1];
    if (typeof place !== "object" || place === null || !(last in place))
      throw new RangeError(`data/${path.join("/")}: nothing stands there that could be changed.`);
    (place as Record<string | number, unknown>)[last] = value;
  }
  data = next;
  key = changes.length === 0 ? "" : JSON.stringify(changes.map(({ path, value }) => [path, value]));
  for (const forget of forgetters) forget();
}

/** Names the changes in force: an empty text without any. It is part of the name of every result, so that none is taken for another. */
export function dataChangeKey(): string {
  return key;
}

/** Registers what is to be forgotten when the data changes: values that were worked out from it and kept. */
export function onDataChange(forget: () => void): void {
  forgetters.push(forget);
}

/** Hears which record ("PE1") or file ("hardware/hsw") is read; undefined ends it. */
export function listenToReads(hear: ((name: string) => void) | undefined): void {
  listener = hear;
}

/** Tells who listens that something is read. */
export function noteRead(name: string): void {
  listener?.(name);
}
