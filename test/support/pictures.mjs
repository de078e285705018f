// The pictures of README.md are outputs of notebooks. `npm run pictures` takes them out again after a notebook was run.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = new URL("../../notebooks/", import.meta.url);

/** The pictures by file name: the last one that the named cell of the notebook shows. */
export function readmePictures() {
  const list = JSON.parse(readFileSync(new URL("pictures/pictures.json", folder), "utf8"));
  return Object.entries(list).map(([file, { notebook, cell }]) => {
    const { cells } = JSON.parse(readFileSync(new URL(notebook, folder), "utf8"));
    const shown = cells.find(({ id }) => id === cell)?.outputs.flatMap((output) => output.data?.["image/png"] ?? []);
    if (!shown?.length) throw new Error(`${file}: ${notebook} has no picture in a cell "${cell}".`);
    return { file: new URL(`pictures/${file}`, folder), png: Buffer.from(shown.at(-1), "base64") };
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  for (const { file, png } of readmePictures()) writeFileSync(file, png);
