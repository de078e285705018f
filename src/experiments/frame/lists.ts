import { z } from "zod";

/** A field that takes a list of values, or one value that stands alone. */
export const listOf = <T extends z.ZodType>(one: T) =>
  z.union([z.array(one).min(1), one.transform((value) => [value])]);
