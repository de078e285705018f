/** A row of an experiment's table: plain JSON values. */
export type Row = Record<string, string | number | boolean | null>;
