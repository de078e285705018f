/** Fields of a configuration and columns of a table, made from the knobs of a simulated host. */
import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import {
  type Accepts,
  type Knob,
  type KnobName,
  type KnobValue,
  knobs,
  type Settings,
  type ShownKnobName,
} from "../../host/index.js";
import { machineConfig } from "../../machine/index.js";
import type { Column } from "./column.js";

/** Every knob, for those who do not ask which. */
export const allKnobs = (): readonly Knob[] => knobs();

/** What a knob accepts, as a schema whose errors say it. How many cores a host has is asked where the host is known. */
function item({ name, unit, accepts }: Knob): z.ZodType<KnobValue> {
  const error = sentence(accepts, unit);
  if (accepts.kind === "boolean") return z.boolean({ error });
  if (accepts.kind === "choice") return z.enum(accepts.values as [string, ...string[]], { error });
  const { kind, low, high } = accepts;
  const base = kind === "whole" ? z.int({ error }) : z.number({ error });
  const range = name === "cores" ? base.min(low, { error }) : base.min(low, { error }).max(high, { error });
  return accepts.word === undefined ? range : z.union([z.literal(accepts.word), range], { error });
}

function sentence(accepts: Accepts, unit: string): string {
  if (accepts.kind === "boolean") return "accepts true or false";
  if (accepts.kind === "choice") return `accepts ${accepts.values.join(", ")}`;
  const { kind, low, high, word } = accepts;
  const what =
    kind === "whole"
      ? `a whole number${unit === "" ? "" : ` of ${unit}`}`
      : unit === "share"
        ? "a share"
        : unit || "a number";
  return `accepts ${word === undefined ? "" : `"${word}" or `}${what} from ${low} to ${high}`;
}

const about = ({ name, about: text }: Knob): string => (name === "cores" ? `${text}; at most the host's` : text);

/** Fields of a configuration that are called otherwise than their knob: a list of locks is `locks`. */
type ListName<K> = K extends "lock" ? "locks" : K extends "profile" ? "profiles" : K;
/** The name of the field that lists a knob's values. */
export const listName = (knob: string): string => (knob === "lock" || knob === "profile" ? `${knob}s` : knob);

/** Values to sweep, by knob: a list, or one value that stands alone. */
export type SweptInput = { [K in keyof Settings as ListName<K>]?: Settings[K] | readonly Settings[K][] | undefined };
/** The lists of a configuration that was parsed: of every knob that stands in each table, of others where given. */
export type Swept = { [K in keyof Settings as ListName<K>]?: Settings[K][] };

/** A list for every knob; those that stand in every table have their default. */
export function sweptFields(
  facts: Facts,
  standard: Readonly<Record<string, readonly KnobValue[]>> = {},
): Record<string, z.ZodType> {
  return Object.fromEntries(
    allKnobs().map((knob) => {
      const list = z.preprocess(
        (v) => (Array.isArray(v) || v === undefined ? v : [v]),
        z
          .array(item(knob))
          .min(1, "accepts at least one value")
          // A value twice would be the same runs twice, and intervals narrower than they are.
          .refine((values) => new Set(values).size === values.length, "accepts each value once"),
      );
      const fallback = knob.fallback(facts);
      const values = standard[knob.name] ?? (fallback === undefined ? undefined : [fallback]);
      const field = knob.shown && values !== undefined ? list.default([...values]) : list.optional();
      const text = about(knob);
      return [
        listName(knob.name),
        field.describe(knob.shown || fallback === undefined ? text : `${text} (default: ${words(fallback)})`),
      ];
    }),
  );
}

/** One value for every knob, all optional. */
export function singleFields(facts: Facts): Record<string, z.ZodType> {
  return Object.fromEntries(
    allKnobs().map((knob) => {
      const fallback = knob.fallback(facts);
      const text = about(knob);
      const field = item(knob).optional();
      return [knob.name, field.describe(fallback === undefined ? text : `${text} (default: ${words(fallback)})`)];
    }),
  );
}

const words = (value: KnobValue): string => (typeof value === "number" ? value.toLocaleString("en") : String(value));

/** A host's cores; not its hardware threads, which share a core's caches. */
export function coresOf(facts: Facts, host: string): number {
  const { sockets, coresPerSocket } = machineConfig(facts, host);
  return sockets * coresPerSocket;
}

/** What a row says of a knob: its value, or null in place of the word "modelled". */
type InRow<V> = Exclude<V, "modelled"> | ("modelled" extends V ? null : never);
/** The knobs in a row: those that stand in every table, and of the others those that were set. */
export type KnobCells = { [K in ShownKnobName]: InRow<Settings[K]> } & {
  [K in Exclude<KnobName, ShownKnobName>]?: InRow<Settings[K]>;
};

/** A column for each knob. */
export function knobColumns(): Record<KnobName, Column> {
  return Object.fromEntries(
    allKnobs().map(({ name, unit, about: description }) => [name, { unit, description }]),
  ) as Record<KnobName, Column>;
}
