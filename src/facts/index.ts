/**
 * The facts: every published figure the laboratory carries, with its unit, source, how it was read and how it is used.
 *
 * The records live in data/published/*.json, are turned into a typed module at set-up (generate.mjs) and checked by the zod
 * schema here. Nothing in the core reads a file. Parameters of measured hosts live in data/hardware/*.json the same way, and what is
 * assumed about a workload in data/workload/*.json.
 */
import { noteRead, onDataChange, rawData } from "./data.js";
import { workload } from "./generated.js";
import { FactFileSchema, type FactRecord } from "./schema.js";

export { changeData, type DataChange, dataChangeKey, listenToReads, onDataChange } from "./data.js";
export {
  Confidence,
  FactFileSchema,
  type FactRecord,
  FactSchema,
  type FactValue,
  Use,
  type UseName,
} from "./schema.js";
export { type DataValue, dataValues, isNamed } from "./values.js";

let index: Map<string, FactRecord> | undefined;
onDataChange(() => {
  index = undefined;
});

function records(): Map<string, FactRecord> {
  if (index) return index;
  const found = new Map<string, FactRecord>();
  for (const [file, content] of Object.entries(rawData().published)) {
    const parsed = FactFileSchema.safeParse(content);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new Error(`data/published/${file}.json: ${issue.path.join(".")}: ${issue.message}`);
    }
    for (const record of parsed.data.records) {
      if (found.has(record.id)) throw new Error(`data/published/${file}.json: the id "${record.id}" is used twice`);
      found.set(record.id, record);
    }
  }
  index = found;
  return found;
}

/** Every record, in the order of the files: to list them. Whoever takes values goes through {@link fact}. */
export function facts(): FactRecord[] {
  return [...records().values()];
}

/**
 * The record with this id.
 * @throws Error when there is none, naming the id.
 * @example fact("S3").value // 7
 */
export function fact(id: string): FactRecord {
  noteRead(id);
  const record = records().get(id);
  if (!record) throw new Error(`There is no published record "${id}" in data/published.`);
  return record;
}

/**
 * A record's value as one number.
 * @throws Error when the value is not a number.
 */
export function factNumber(id: string): number {
  const { value } = fact(id);
  if (typeof value !== "number") throw new Error(`Record "${id}" holds ${JSON.stringify(value)}, not one number.`);
  return value;
}

/**
 * A record's value as a list of numbers.
 * @throws Error when the value is not such a list.
 */
export function factNumbers(id: string): number[] {
  const { value } = fact(id);
  if (!Array.isArray(value) || !value.every((v) => typeof v === "number")) {
    throw new Error(`Record "${id}" holds ${JSON.stringify(value)}, not a list of numbers.`);
  }
  return value as number[];
}

/** The raw content of data/hardware/NAME.json, to be checked by the schema of the room that uses it. */
export function hardwareFile(name: string): unknown {
  noteRead(`hardware/${name}`);
  const content = rawData().hardware[name];
  if (content === undefined) throw new Error(`There is no data/hardware/${name}.json.`);
  return content;
}

/**
 * The raw content of data/workload/NAME.json, to be checked by the schema of the room that uses it. These are the defaults of a run's
 * fields, which experiments sweep over their whole range; `changeData` does not move them.
 */
export function workloadFile(name: string): unknown {
  const content = (workload as Record<string, unknown>)[name];
  if (content === undefined) throw new Error(`There is no data/workload/${name}.json.`);
  return content;
}

/** The raw content of data/observations/NAME.json, to be checked by the schema of the room that uses it. */
export function observationFile(name: string): unknown {
  const content = rawData().observations[name];
  if (content === undefined) throw new Error(`There is no data/observations/${name}.json.`);
  return content;
}
