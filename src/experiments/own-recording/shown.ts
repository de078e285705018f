/** A report's tables and figures by name, as a notebook shows them. */
import { type ColumnTable, table } from "arquero";
import type { Figure } from "../../plot/index.js";
import { reportFigures } from "./figures.js";
import type { RecordingReport } from "./report.js";
import { reportSections } from "./sections.js";

/**
 * A table of the report.
 * @param section the section's id: recorded, allocators, iotlb, locks, gains
 * @param which its place among the section's tables
 * @throws Error naming the sections that have such a table
 * @example reportTable(report, "allocators")
 * @public
 */
export function reportTable(report: RecordingReport, section: string, which = 0): ColumnTable {
  const sections = reportSections(report);
  const found = sections.find(({ id }) => id === section)?.tables[which];
  if (found === undefined) {
    const known = sections.filter(({ tables }) => tables.length > which).map(({ id }) => id);
    throw new Error(`The report has no table ${which} in "${section}"; there is one in ${known.join(", ")}.`);
  }
  const { header, rows } = found;
  return table(Object.fromEntries(header.map((name, i) => [name, rows.map((row) => row[i])])), header);
}

/**
 * A figure of the report.
 * @throws Error naming the figures that this report has
 * @example reportFigure(report, "live")
 * @public
 */
export function reportFigure(report: RecordingReport, name: string): Figure {
  const figure = Object.hasOwn(reportFigures, name) ? reportFigures[name](report) : undefined;
  if (figure) return figure;
  const known = Object.entries(reportFigures).flatMap(([one, make]) => (make(report) === undefined ? [] : [one]));
  throw new Error(`The report has no figure "${name}"; it has ${known.join(", ")}.`);
}

/** The report's sentences on a section. @throws Error naming the sections @public */
export function reportText(report: RecordingReport, section: string): string {
  const sections = reportSections(report);
  const found = sections.find(({ id }) => id === section);
  if (found) return found.paragraphs.join("\n\n");
  throw new Error(`The report has no section "${section}"; it has ${sections.map(({ id }) => id).join(", ")}.`);
}
