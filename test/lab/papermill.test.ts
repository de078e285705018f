import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { addPapermillTranslator } from "../../src/lab/papermill.js";
import { findPython } from "../../src/lab/python.js";

it("papermill finds the translator by an entry point among the environment's packages", () => {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-papermill-"));
  try {
    expect(addPapermillTranslator({ folder })).toBeUndefined();
    const packages = join(folder, "lib", "python3.12", "site-packages");
    mkdirSync(packages, { recursive: true });
    expect(addPapermillTranslator({ folder })).toBe(join(packages, "iommu_lab_papermill.py"));
    const info = join(packages, "iommu_lab_papermill-1.0.dist-info");
    expect(readFileSync(join(info, "entry_points.txt"), "utf8")).toMatch(
      /^\[papermill\.engine\]\n.* = iommu_lab_papermill:Engine$/m,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The translator, with stand-ins for what it takes of papermill; `translate` there is papermill's choice by a value's type. */
const translated = `
import json, math, sys, types
class Translator:
    @classmethod
    def translate(cls, val):
        by = ((bool, lambda v: "true" if v else "false"), (int, cls.translate_int), (float, cls.translate_float),
              (str, cls.translate_escaped_str), (dict, cls.translate_dict), (list, cls.translate_list))
        return cls.translate_none(val) if val is None else next(f for t, f in by if isinstance(val, t))(val)
class Parameter:
    def __init__(self, **fields): self.__dict__.update(fields)
class Translators(dict):
    def register(self, language, translator): self[language] = translator
translators = Translators()
for name, members in {"engines": {"NBClientEngine": object}, "models": {"Parameter": Parameter},
                      "translators": {"Translator": Translator, "papermill_translators": translators}}.items():
    sys.modules["papermill." + name] = types.SimpleNamespace(**members)
sys.modules["papermill"] = types.SimpleNamespace()
sys.path.insert(0, sys.argv[1])
import iommu_lab_papermill
t = translators["typescript"]
values = [5, -1, 2**53, 0.5, math.nan, -math.inf, True, None, "a \\"b\\"\\n\\u2028", [1, ["x"]], {"a b": {"c": None}}, {}]
cell = {"source": "let alpha = 1; // how steep\\nconst beta: string = 'x';\\nconsole.log(alpha)"}
print(json.dumps({
    "values": [t.assign("v", t.translate(v)) for v in values],
    "found": [[p.name, p.inferred_type_name, p.default, p.help] for p in t.inspect(cell)],
}))
`;

/** Where there is no Python there is no papermill. */
const python = (() => {
  try {
    return findPython().path;
  } catch {
    return undefined;
  }
})();

it.skipIf(python === undefined)("papermill's parameters are declarations that a cell takes", async () => {
  const folder = new URL("../../src/lab", import.meta.url).pathname;
  const { stdout, stderr } = spawnSync(String(python), ["-c", translated, folder], { encoding: "utf8" });
  expect(stderr).toBe("");
  const { values, found } = JSON.parse(stdout) as { values: string[]; found: string[][] };
  expect(values.map((code) => new Function(`${code} return v`)())).toEqual([
    ...[5, -1, 2n ** 53n, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, true, null],
    ...['a "b"\n\u2028', [1, ["x"]], { "a b": { c: null } }, {}],
  ]);
  expect(found).toEqual([
    ["alpha", "None", "1", "how steep"],
    ["beta", "string", "'x'", ""],
  ]);
});
