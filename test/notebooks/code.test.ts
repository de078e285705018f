import { expect, test } from "vitest";
import { chapters, codeCells, exercises, solutions, text } from "./course.js";

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
