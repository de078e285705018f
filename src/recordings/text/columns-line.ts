import { Context, Direction, Kind, TraceError } from "../trace.js";
import { Layer, Line, type MappingEvent } from "./event.js";

/*
 * A table of operations: comma-separated values with a header line that names the columns.
 *     t_ns,cpu,op,dev,iova_pfn,pages,bytes,dir,paddr_pfn,kind,ctx,phase
 *     10,6,M,0000:00:03.0,fffff,1,66,1,102557,page,s,up
 */
const required: readonly string[] = ["t_ns", "cpu", "op", "dev", "iova_pfn", "pages"];
const maxPfn = 0xfffffffffffff;
const maxPages = 0xffffffff;
const kinds: Record<string, number> = { page: Kind.page, coh: Kind.coherent, sg: Kind.scatterlist, "": Kind.unknown };
const contexts: Record<string, number> = {
  s: Context.softirq,
  h: Context.hardirq,
  ".": Context.task,
  "": Context.unknown,
};

/** Reads a table line by line. */
export class TableReader {
  private columns: Record<string, number> | undefined;
  private width = 0;
  private phase: string | undefined;
  /** Time of the last line that was read, in ns. */
  timeNs = 0;

  /** Whether this is the header of such a table. */
  static isHeader(line: string): boolean {
    return line.startsWith("t_ns,");
  }

  /** Reads a line. Its phase, where a new one begins, is in `event.text`. @throws TraceError where a column is missing */
  read(line: string, event: MappingEvent): number {
    if (line.trim() === "") return Line.blank;
    if (line.startsWith("#")) return Line.other;
    const cells = line.split(",");
    if (!this.columns) {
      this.columns = Object.fromEntries(cells.map((name, i) => [name.trim(), i]));
      this.width = cells.length;
      for (const name of required)
        if (!(name in this.columns)) throw new TraceError(`has no column "${name}"; expected ${required.join(", ")}`);
      return Line.other;
    }
    event.reset();
    event.text = "";
    try {
      return this.operation(cells, this.columns, event);
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      event.text = error.message;
      return Line.bad;
    }
  }

  private operation(cells: string[], columns: Record<string, number>, event: MappingEvent): number {
    if (cells.length !== this.width) throw new TraceError(`has ${cells.length} columns; expected ${this.width}`);
    const cell = (name: string): string => (name in columns ? cells[columns[name]].trim() : "");
    const whole = (name: string, max: number, base = 10, fallback?: number): number => {
      const value = cell(name);
      if (value === "" && fallback !== undefined) return fallback;
      const number = (base === 16 ? /^[0-9a-f]+$/i : /^-?\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
      if (!Number.isSafeInteger(number) || number < (name === "t_ns" ? -Number.MAX_SAFE_INTEGER : 0) || number > max) {
        throw new TraceError(
          `${name}: expected a ${base === 16 ? "hexadecimal" : "whole"} number of at most ${max} (got "${value.slice(0, 40)}")`,
        );
      }
      return number;
    };
    const one = (name: string, known: Record<string, number>): number => {
      if (Object.hasOwn(known, cell(name))) return known[cell(name)];
      throw new TraceError(
        `${name}: expected ${Object.keys(known).filter(Boolean).join(", ")} (got "${cell(name).slice(0, 40)}")`,
      );
    };
    const timeNs = whole("t_ns", Number.MAX_SAFE_INTEGER);
    event.layer = Layer.table;
    event.cpu = whole("cpu", 65535);
    event.device = cell("dev").slice(0, 100);
    if (event.device === "") throw new TraceError('dev: expected a device, "0000:00:03.0" say');
    event.pfn = whole("iova_pfn", maxPfn, 16);
    event.context = one("ctx", contexts);
    event.pages = whole("pages", maxPages);
    if (event.pages === 0) throw new TraceError("pages: expected at least 1");
    const op = cell("op");
    if (op !== "M" && op !== "U") throw new TraceError(`op: expected M (map) or U (unmap) (got "${op.slice(0, 40)}")`);
    if (op === "M") {
      event.bytes = whole("bytes", Number.MAX_SAFE_INTEGER, 10, 0);
      event.direction = whole("dir", 2, 10, Direction.unknown);
      event.kind = one("kind", kinds);
      event.paddrPfn = whole("paddr_pfn", maxPfn, 16, -1);
    }
    this.timeNs = timeNs;
    if ("phase" in columns && cell("phase") !== this.phase) event.text = this.phase = cell("phase").slice(0, 100);
    return op === "M" ? Line.map : Line.unmap;
  }
}
