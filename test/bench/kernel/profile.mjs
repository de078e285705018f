// `npm run bench:kernel -- --profile`: where the language part's time goes, from a sampling profile: its creation with the first compilation,
// and trivial cells after it.
import { Session } from "node:inspector/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/** What a function's time counts as: the innermost of these on the stack decides. */
const parts = [
  ["parsing", /^(createSourceFile|parseSourceFile|updateSourceFile)$/],
  ["binding", /^bindSourceFile$/],
  [
    "checking types",
    /^(checkSourceFile\w*|checkSourceElement\w*|getDiagnostics\w*|getSemanticDiagnostics|createTypeChecker|getTypeAtLocation)$/,
  ],
  ["second transpile, to CommonJS", /^(transpileModule|esModuleToCommonJSModule)$/],
  ["emitting", /^(emitFilesAndReportErrors|emitFiles|emitSourceFile\w*|printSourceFileOrBundle|emit)$/],
  [
    "resolving modules",
    /^(resolveModuleName\w*|resolveModuleNames\w*|nodeModuleNameResolver\w*|resolveTypeReferenceDirective\w*)$/,
  ],
  ["building the program", /^(createProgram|synchronizeHostData|createBuilderProgram\w*|createAbstractBuilder)$/],
  ["reading files", /^(readFileSync|openSync|statSync|realpathSync|readdirSync)$/],
  ["loading modules", /^(require|Module\._load|compileFunctionForCJSLoader|wrapSafe)$/],
  ["garbage collection", /^\(garbage collector\)$/],
];

/** Share of each part in a profile. */
function shares({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parentOf = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const known = new Map();
  const partOf = (id) => {
    if (id === undefined) return "other";
    let part = known.get(id);
    if (part === undefined) {
      const name = byId.get(id).callFrame.functionName;
      part = parts.find(([, pattern]) => pattern.test(name))?.[0] ?? partOf(parentOf.get(id));
      known.set(id, part);
    }
    return part;
  };
  const time = new Map();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    if (byId.get(id).callFrame.functionName === "(idle)") continue;
    time.set(partOf(id), (time.get(partOf(id)) ?? 0) + timeDeltas[i]);
    total += timeDeltas[i];
  }
  return { total, rows: [...time].sort((a, b) => b[1] - a[1]) };
}

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: 200 });

async function profiled(title, count, work) {
  await session.post("Profiler.start");
  await work();
  const { profile } = await session.post("Profiler.stop");
  const { total, rows } = shares(profile);
  console.log(`\n${title}: ${(total / 1000 / count).toFixed(1)} ms${count > 1 ? ` each, of ${count}` : ""}`);
  for (const [part, time] of rows) console.log(`  ${((100 * time) / total).toFixed(0).padStart(3)} %  ${part}`);
}

const { createLanguage } = await import(join(root, "dist/cells/host/language.js"));
const { loadCompiler } = await import(join(root, "dist/cells/host/compiler.js"));
let language;
await profiled("creating the language part", 1, () => {
  language = createLanguage(root, root, loadCompiler(root));
});
await profiled("the first compilation", 1, () => language.compile("1 + 1"));
await profiled("a trivial cell", 60, () => {
  for (let i = 0; i < 60; i++) language.compile(`${i} + 1`);
});
session.disconnect();
