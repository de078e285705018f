import { expect, test } from "vitest";
import { type CourseNotebook, chapters, codeCells, prose, solutions, text } from "./course.js";

interface Axis {
  title?: { text?: string };
  visible?: boolean;
  type?: string;
  ticktext?: string[];
  categoryarray?: string[];
}
interface Plot {
  data: Record<string, unknown>[];
  layout: Record<string, Axis>;
}
const titleOf = ({ layout }: Plot): string =>
  (layout["title"] as unknown as { text: string }).text.replaceAll("<br>", " ");
/** The figures that a notebook stores, with the words that stand for each. */
const figures = (notebook: CourseNotebook) =>
  codeCells(notebook).flatMap((cell) =>
    cell.outputs.flatMap((output) => {
      const data = ("data" in output ? output.data : {}) as Record<string, unknown>;
      const plot = data["application/vnd.plotly.v1+json"] as Plot | undefined;
      if (!plot) return [];
      const words = [data["text/plain"]].flat().join("");
      return [
        {
          where: `${notebook.path}, ${cell.id}: ${titleOf(plot)}`,
          id: cell.id!,
          plot,
          words,
          png: data["image/png"],
        },
      ];
    }),
  );
const all = [...chapters(), ...solutions()].flatMap(figures);

/** Numeric axes that count or number things, or hold a pure number, so that the title names all there is to say. */
const counts = new Set([
  "cores",
  "cores that take the lock",
  "pools",
  "threads",
  "nodes",
  "levels",
  "static maps",
  "CPU",
  "claims",
  "step",
  "walks under way, mean",
  "misses a packet",
]);
counts
  .add("transactions since the start")
  .add("receive buffers a queue")
  .add("nodes a map")
  .add("sentences and published figures")
  .add("simulated value / published value");

/** What the hover texts of an axis say behind its numbers. A title that names it ("maps at lower addresses") need not say it once more. */
function unitsInHover(plot: (typeof all)[number]["plot"], letter: "x" | "y", title: string): string[] {
  return plot.data.flatMap((trace) => {
    for (const part of String(trace["hovertemplate"] ?? "").split("<br>")) {
      const [name, unit] = part.replace(/<extra>.*/, "").split(new RegExp(`: %\\{${letter}[^}]*\\} `));
      if (name === title && unit !== undefined && /^[a-z]{4,}$/.test(unit)) return [unit];
    }
    return [];
  });
}

test("every figure stands in a cell with a telling name, once, with a picture beside it", () => {
  expect(all.length).toBeGreaterThan(40);
  for (const { where, id, png } of all) {
    expect(id, where).toMatch(/^fig-[a-z0-9-]+$/);
    expect(png, where).toBeTruthy();
  }
});

test("every figure has a title and a caption that says more than the title", () => {
  for (const { where, plot, words } of all) {
    const title = titleOf(plot);
    expect(title.length, where).toBeGreaterThan(5);
    expect(words, where).toMatch(/^Figure: /);
    const caption = words.slice("Figure: ".length).replace(title, "").trim();
    expect(caption.split(/\s+/).length, where).toBeGreaterThanOrEqual(8);
  }
});

test("every figure of a chapter has a title of its own", () => {
  for (const notebook of chapters()) {
    const titles = figures(notebook).map(({ plot }) => titleOf(plot));
    expect(
      titles.filter((title, i) => titles.indexOf(title) !== i),
      notebook.path,
    ).toEqual([]);
  }
});

test("every axis of numbers says its unit, in brackets or at its ticks, or counts something", () => {
  for (const { where, plot } of all) {
    const letters = { x: new Set<unknown>(), y: new Set<unknown>() };
    for (const trace of plot.data)
      for (const letter of ["x", "y"] as const)
        for (const value of (trace[letter] as unknown[] | undefined) ?? []) letters[letter].add(value);
    for (const letter of ["x", "y"] as const) {
      const axes = Object.entries(plot.layout).filter(([name]) => new RegExp(`^${letter}axis\\d*$`).test(name));
      expect(axes.length, `${where}: ${letter}`).toBeGreaterThan(0);
      const numeric = [...letters[letter]].some((value) => typeof value === "number");
      const shown = axes.map(([, axis]) => axis).filter((axis) => axis.visible !== false && axis.type !== "category");
      if (!numeric || shown.length === 0) continue;
      const named = shown.some(({ title, ticktext }) => {
        const words = title?.text ?? "";
        return (
          /\(.+\)|b\/s$/.test(words) ||
          counts.has(words) ||
          unitsInHover(plot, letter, words).some((unit) => words.includes(unit)) ||
          ticktext?.every((tick) => /[A-Za-z]/.test(tick)) === true
        );
      });
      expect(named, `${where}: ${letter} (${shown.map(({ title }) => title?.text).join(", ")})`).toBe(true);
    }
  }
});

test("a caption that speaks of intervals or bands belongs to a figure that has them", () => {
  const spread = (trace: Record<string, unknown>) =>
    "error_x" in trace ||
    "error_y" in trace ||
    trace["fill"] === "toself" ||
    // A map of cells writes its intervals into them.
    /\(-?\d+ to \d+\)/.test(JSON.stringify(trace["text"] ?? ""));
  let count = 0;
  for (const { where, plot, words } of all) {
    if (!/\b95 %|\b[Bb]ands:/.test(words)) continue;
    count++;
    expect(plot.data.some(spread), where).toBe(true);
    // Independent runs differ: bars of no length are those of a single run.
    const bars = (error: unknown) => {
      const { array = [], arrayminus = [] } = (error ?? {}) as { array?: number[]; arrayminus?: number[] };
      return [...array, ...arrayminus];
    };
    const lengths = plot.data.flatMap((trace) => [...bars(trace["error_x"]), ...bars(trace["error_y"])]);
    if (words.includes("over independent runs"))
      expect(
        lengths.some((length) => length > 0),
        where,
      ).toBe(true);
  }
  expect(count).toBeGreaterThan(15);
});

test("every question to the reader has an answer to reveal, after the cell that shows it", () => {
  let questions = 0;
  for (const notebook of chapters()) {
    const { cells } = notebook.notebook;
    expect(prose(notebook).join("\n"), notebook.path).toContain("**Predict.**");
    for (const [i, cell] of cells.entries()) {
      if (cell.cell_type !== "markdown" || !text(cell).includes("**Predict.**")) continue;
      questions++;
      const next = cells.findIndex(
        (other, k) => k > i && other.cell_type === "markdown" && text(other).includes("**Predict.**"),
      );
      const between = cells.slice(i + 1, next < 0 ? undefined : next + 1);
      const answered = between.findIndex(
        (other) => other.cell_type === "markdown" && /<details><summary>Answer.*?<\/summary>\n\n/.test(text(other)),
      );
      const question = text(cell).slice(text(cell).indexOf("**Predict.**"), text(cell).indexOf("**Predict.**") + 80);
      if (!question.includes("random 4 KiB blocks"))
        expect(answered, `${notebook.path}: ${question}`).toBeGreaterThan(0);
    }
    const whole = prose(notebook).join("\n\n");
    expect(whole, `${notebook.path}: an answer stands in a paragraph of its own`).not.toMatch(/[^\n]\n?<details>/);
    expect(whole.match(/<details>/g)?.length, notebook.path).toBe(whole.match(/\n\n<\/details>/g)?.length);
  }
  expect(questions).toBeGreaterThan(20);
});

test("what a cell shows that answers a question is folded until the reader has thought", () => {
  let folded = 0;
  for (const { path, notebook } of chapters())
    for (const [i, cell] of notebook.cells.entries()) {
      const question = notebook.cells[i - 1];
      if (cell.cell_type !== "code" || question?.cell_type !== "markdown") continue;
      if (!text(question).includes("**Predict.**")) continue;
      folded++;
      expect(cell.metadata["jupyter"], `${path}: ${cell.id}`).toMatchObject({ outputs_hidden: true });
    }
  expect(folded).toBeGreaterThan(20);
});
