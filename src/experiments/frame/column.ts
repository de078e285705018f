/** A column of an experiment's table. */
export interface Column {
  /** Unit as shown in the header; an empty string for a name or a pure number. */
  unit: string;
  description: string;
}
