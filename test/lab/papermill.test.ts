import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { addPapermillTranslator } from "../../src/lab/papermill.js";

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
