/** What all pages share: style, scripts, fonts. Copied into the site once; nothing of it is ever loaded from elsewhere. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { houseTemplate } from "../../plot/index.js";
import type { Files } from "./model.js";

/** The folder of the site's own style sheet and scripts; compiled files lie as deep as this one. */
const own = fileURLToPath(new URL("../../../src/site/pages/assets/", import.meta.url));

let read: Files | undefined;

/** The shared files by address; read once. */
export function assets(): Files {
  if (read !== undefined) return read;
  const files: Files = new Map();
  const resolve = createRequire(import.meta.url).resolve;
  const copy = (name: string, path: string) => files.set(`assets/${name}`, readFileSync(path));
  for (const name of ["site.css", "site.js", "early.js", "icon.svg"]) copy(name, join(own, name));
  copy("fonts/dejavu-mono.woff2", resolve("@fontsource/dejavu-mono/files/dejavu-mono-latin-400-normal.woff2"));
  copy("plotly.js", resolve("plotly.js-dist-min"));
  copy("minisearch.js", join(dirname(resolve("minisearch")), "..", "umd", "index.js"));
  // The text of src/plot/fit.ts, which imports nothing, as a script that a page opened from a folder may load.
  const fit = readFileSync(new URL("../../../dist/plot/fit.js", import.meta.url), "utf8").replace(/^export /gm, "");
  files.set("assets/fit.js", `(() => {\n${fit}\niommuLab.fit(fitted);\n})();\n`);
  const themes = { light: houseTemplate("light"), dark: houseTemplate("dark") };
  files.set("assets/house.js", `iommuLab.house(${JSON.stringify(themes)});\n`);
  const katex = dirname(resolve("katex/dist/katex.min.css"));
  // Every browser that can show the page reads the first of the three font formats.
  const css = readFileSync(join(katex, "katex.min.css"), "utf8").replace(
    /,url\([^)]*\.(?:woff|ttf)\) format\("[^"]*"\)/g,
    "",
  );
  files.set("assets/katex/katex.css", css);
  for (const [, font] of css.matchAll(/url\((fonts\/[^)]+)\)/g)) copy(`katex/${font}`, join(katex, font));
  read = files;
  return files;
}
