import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, as npm run soak runs it
import { soak as untyped } from "../soak/files.mjs";

const soak = untyped as (options: { count: number; seed: number; only: string[] }) => Promise<{ faults: string[] }>;

// The short version of `npm run soak -- files`.
test("a command that is killed while it writes leaves old files or new ones, never half", async () => {
  const only = ["migrate", "kernel install"];
  expect((await soak({ count: 4, seed: 7, only })).faults).toEqual([]);
});
