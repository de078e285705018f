import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Kernel, startInProcessKernel } from "../../dist/jupyter/index.js";

const folder = mkdtempSync(join(tmpdir(), "kernel-points-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`);

async function result(kernel: Kernel, code: string): Promise<string> {
  const execution = kernel.execute(code);
  let text = "";
  for await (const { type, content } of execution)
    if (type === "execute_result") text = String((content["data"] as Record<string, unknown>)["text/plain"]);
  const reply = await execution.reply;
  expect(reply.status, reply.evalue).toBe("ok");
  return text;
}

test("a kernel takes the points that another has computed, until they are forgotten", async () => {
  const cell = `import { lineTransfer } from "iommu-lab/experiments";
const { rows } = await lineTransfer.run({ rounds: 12 });
JSON.stringify(rows).length`;
  const shown: string[] = [];
  const env = { IOMMU_LAB_POINTS: folder };
  const first = await startInProcessKernel({ env });
  shown.push(await result(first, cell));
  await first.shutdown();
  const kept = files();
  expect(kept).toHaveLength(32);
  const second = await startInProcessKernel({ env });
  shown.push(await result(second, cell));
  expect(files()).toEqual(kept);
  await result(second, "await lab.forgetPoints()");
  expect(files()).toEqual([]);
  shown.push(await result(second, cell));
  expect(files()).toHaveLength(32);
  await second.shutdown();
  expect(new Set(shown).size).toBe(1);
});
