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

test("two kernels compute the same points at the same moment, and one forgets them meanwhile: each has the right rows", async () => {
  const cell = (rounds: number) => `import { lineTransfer } from "iommu-lab/experiments";
const { rows } = await lineTransfer.run({ rounds: ${rounds} });
rows.map((row) => row.cycles).join()`;
  const env = { IOMMU_LAB_POINTS: folder };
  const [alone, ...both] = await Promise.all(
    ["off", folder, folder].map((points) => startInProcessKernel({ env: { ...env, IOMMU_LAB_POINTS: points } })),
  );
  const right = await result(alone, cell(13));
  expect(await Promise.all(both.map((kernel) => result(kernel, cell(13))))).toEqual([right, right]);
  const later = both.map((kernel) => result(kernel, cell(14)));
  await result(
    alone,
    `import { PointStore } from "iommu-lab/sweep"; for (let i = 0; i < 20; i++) { new PointStore(${JSON.stringify(folder)}).forget(); await new Promise((later) => setTimeout(later, 5)); }`,
  );
  expect(await Promise.all(later)).toEqual(Array(2).fill(await result(alone, cell(14))));
  expect(readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".tmp"))).toEqual(
    [],
  );
  await Promise.all([alone, ...both].map((kernel) => kernel.shutdown()));
});
