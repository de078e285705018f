// The picture of the house in src/README.md, made from the allowed imports in src/rooms.cjs.
//   node test/support/floor-plan.mjs     writes it into src/README.md
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { rooms, core } = createRequire(import.meta.url)("../../src/rooms.cjs");
const readme = fileURLToPath(new URL("../../src/README.md", import.meta.url));
const begin = "<!-- picture of the house: from src/rooms.cjs -->";
const end = "<!-- end of the picture -->";

/** Rooms that can be reached from one by more than one step: an arrow to them would say nothing new. */
function beyond(room) {
  const seen = new Set();
  const walk = (from) => {
    for (const next of rooms[from])
      if (!seen.has(next)) {
        seen.add(next);
        walk(next);
      }
  };
  for (const next of rooms[room]) walk(next);
  return seen;
}

/** The allowed imports as a Mermaid graph; arrows that follow from others are left out. */
export function housePicture() {
  const names = Object.keys(rooms).filter((room) => room !== "deprecated");
  const lines = names.flatMap((room) => {
    const far = beyond(room);
    return rooms[room].filter((next) => !far.has(next)).map((next) => `    ${room} --> ${next}`);
  });
  const inCore = core.map((room) => `      ${room}`).join("\n");
  return `\`\`\`mermaid\ngraph TD\n    subgraph core [the core: no Node API, no clock, no ambient randomness]\n${inCore}\n    end\n${lines.join("\n")}\n\`\`\``;
}

/** Every room's name, from the top down. */
export const roomNames = Object.keys(rooms);

/** The picture that src/README.md holds. */
export function picturedHouse() {
  const text = readFileSync(readme, "utf8");
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(readme, "utf8");
  writeFileSync(
    readme,
    `${text.slice(0, text.indexOf(begin) + begin.length)}\n${housePicture()}\n${text.slice(text.indexOf(end))}`,
  );
}
