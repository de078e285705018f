import { z } from "zod";
import { ConfigError } from "./config-error.js";

/** A field of a configuration, as help shows it. */
export interface Field {
  /** Its path: "link.generation". */
  path: string;
  /** What it takes, in words: "list of whole numbers, 1 … 16". */
  accepts: string;
  /** Its default as `--set` would be given it; undefined where it must be given. */
  fallback: string | undefined;
  /** What it is, with its unit, from the schema. */
  description: string;
}

/** The part of JSON Schema that zod's configurations come out as. */
interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema | boolean;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

function jsonSchema(config: z.ZodType): Schema {
  return z.toJSONSchema(config, { io: "input", unrepresentable: "any" }) as Schema;
}

/** The fields of a configuration, nested ones by their path, in the schema's order. */
export function fieldsOf(config: z.ZodType): Field[] {
  const fields: Field[] = [];
  const walk = (schema: Schema, path: string, inherited: unknown): void => {
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      const outer = (inherited as Record<string, unknown> | undefined)?.[key];
      const fallback = outer ?? field.default;
      if (field.properties) walk(field, `${path}${key}.`, fallback);
      else
        fields.push({
          path: path + key,
          accepts: inWords(field),
          fallback: fallback === undefined ? undefined : asText(fallback),
          description: field.description ?? "",
        });
    }
  };
  walk(jsonSchema(config), "", undefined);
  return fields;
}

function inWords(schema: Schema, plural = false): string {
  const s = plural ? "s" : "";
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => inWords(choice, plural)))].join(" or ");
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(", ");
  if (schema.type === "array") {
    if (typeof schema.items === "object") return `list of ${inWords(schema.items, true)}`;
    return schema.prefixItems ? `${schema.prefixItems.length} values` : "list";
  }
  if (schema.type === "integer" || schema.type === "number")
    return `${schema.type === "integer" ? "whole number" : "number"}${s}${bounds(schema)}`;
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "string") return `text${s}`;
  return Array.isArray(schema.type) ? schema.type.join(" or ") : "JSON";
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (low !== undefined && high !== undefined) return `, ${low} … ${high}`;
  if (low !== undefined) return `, ${low} or more`;
  if (exclusiveMinimum !== undefined && high !== undefined) return `, above ${exclusiveMinimum}, up to ${high}`;
  if (exclusiveMinimum !== undefined) return `, above ${exclusiveMinimum}`;
  if (high !== undefined) return `, up to ${high}`;
  return exclusiveMaximum === undefined ? "" : `, below ${exclusiveMaximum}`;
}

function asText(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Puts settings written as text ("cores=1,2,4", "link.generation=3") into a configuration's input. The schema says what a text means:
 * a list is separated by commas, and JSON is taken where a text can not say it. Whether the value is accepted is for the schema's parse.
 * @throws ConfigError for a setting that is no "field=value", or whose field there is not
 */
export function withSettings(config: z.ZodType, input: object, settings: readonly string[]): Record<string, unknown> {
  const result = structuredClone(input) as Record<string, unknown>;
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) throw new ConfigError(`A setting is written field=value, for example seed=2; got "${setting}".`);
    const path = setting.slice(0, at).trim();
    const text = setting.slice(at + 1).trim();
    let schema = jsonSchema(config);
    for (const key of path.split(".")) {
      // Own names only: every object answers to "constructor".
      const field = schema.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
      if (!field) {
        const known = fieldsOf(config).map((one) => one.path);
        throw new ConfigError(`There is no field "${path}". The fields are ${known.join(", ")}.`);
      }
      schema = field;
    }
    setField(result, path, textToValue(schema, text));
  }
  return result;
}

/**
 * Sets a field of an input by its path, and makes the objects on the way. A name is a name, whatever it is: "__proto__" becomes a field, which
 * no experiment has, and reaches no prototype.
 */
export function setField(input: Record<string, unknown>, path: string, value: unknown): void {
  const own = (place: object, key: string, inner: unknown): unknown =>
    Object.defineProperty(place, key, { value: inner, writable: true, enumerable: true, configurable: true });
  const keys = path.split(".");
  let place = input;
  for (const key of keys.slice(0, -1)) {
    if (!Object.hasOwn(place, key) || typeof place[key] !== "object" || place[key] === null) own(place, key, {});
    place = place[key] as Record<string, unknown>;
  }
  own(place, keys[keys.length - 1], value);
}

function textToValue(schema: Schema, text: string): unknown {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) {
    const values = choices.map((choice) => textToValue(choice, text));
    return values.find((value) => typeof value !== "string") ?? values[0];
  }
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? typeof (schema.const ?? schema.enum?.[0])];
  if (types.includes("array") && !text.startsWith("[")) {
    if (text === "") return [];
    const { items, prefixItems } = schema;
    return text
      .split(",")
      .map((part, i) => textToValue(prefixItems?.[i] ?? (typeof items === "object" ? items : {}), part.trim()));
  }
  if ((types.includes("number") || types.includes("integer")) && text !== "" && Number.isFinite(Number(text)))
    return Number(text);
  if (types.includes("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.includes("null") && text === "null") return null;
  if (types.includes("string")) return text;
  try {
    return JSON.parse(text, (name, value) => {
      if (name === "__proto__") throw new SyntaxError("no name of a field");
      return value;
    });
  } catch {
    return text;
  }
}
