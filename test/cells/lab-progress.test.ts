import { expect, test } from "vitest";
import { createLab, type LabHost } from "../../src/cells/display/lab.js";

test("a listener draws one bar, moves it, and ends it full", () => {
  const shown: { text: string; update: boolean }[] = [];
  let ids = 0;
  const host = {
    display: (data: Record<string, unknown>, { update }: { update: boolean }) =>
      shown.push({ text: String(data["text/plain"]), update }),
    newId: () => String(ids++),
  } as unknown as LabHost;
  const listen = createLab(host).onProgress("exploring");
  listen(0, 2, "first");
  listen(2, 2, "done");
  expect(ids).toBe(1);
  expect(shown[0]).toEqual({ text: "exploring [....................] 0 % (0 of 2)", update: false });
  expect(shown.at(-1)).toEqual({ text: "exploring: done [####################] 100 % (2 of 2)", update: true });
});
