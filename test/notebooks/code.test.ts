import { expect, test } from "vitest";
import { chapters, codeCells, exercises, solutions, text } from "./course.js";

/** Lines of a cell that are read in one look. */
const longest = 25;

test("a cell of a chapter has at most 25 lines of code: what is mechanism stands in the laboratory's rooms", () => {
  const long = chapters().flatMap((notebook) =>
    codeCells(notebook)
      .map((cell) => ({ where: `${notebook.path}, ${cell.id}`, lines: text(cell).split("\n").length }))
      .filter(({ lines }) => lines > longest),
  );
  expect(long).toEqual([]);
});

/** What a page, a phone held sideways and a printed sheet show of a line of code without scrolling. */
const widest = 76;

test("a line of code has at most 76 characters", () => {
  const long = [...chapters(), ...exercises(), ...solutions()].flatMap((notebook) =>
    codeCells(notebook).flatMap((cell) =>
      text(cell)
        .split("\n")
        .filter((line) => line.length > widest)
        .map((line) => `${notebook.path}, ${cell.id}: ${line.length} characters: ${line.trim().slice(0, 60)}`),
    ),
  );
  expect(long).toEqual([]);
});
