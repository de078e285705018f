import { expect, test } from "vitest";
import { chapters, codeCells, prose, text } from "./course.js";

test("the first cell says how long reading and running take, and the reading is as long as it says", () => {
  for (const notebook of chapters()) {
    const said = /^\*Reading: some (\d+) minutes\. Running: [a-z ]+ on two cores, and less once it has run\.\*$/m.exec(
      prose(notebook)[0],
    );
    expect(said, notebook.path).not.toBeNull();
    const plain = prose(notebook)
      .join("\n")
      .replace(/\]\([^)]*\)/g, "]");
    const words = plain.match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu)!.length;
    const lines = codeCells(notebook).reduce((sum, cell) => sum + text(cell).split("\n").length, 0);
    const figures = codeCells(notebook)
      .flatMap(({ outputs }) => outputs)
      .filter((output) => "data" in output && "application/vnd.plotly.v1+json" in (output["data"] as object)).length;
    // 200 words a minute, half a minute to look at a figure, a second for a line of code.
    const minutes = words / 200 + figures / 2 + lines / 60;
    expect(Math.abs(minutes - Number(said![1])), `${notebook.path}: ${minutes.toFixed(1)} minutes`).toBeLessThan(5);
  }
});
