import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client, KernelProcess, resultText } from "../jupyter/jupyter-client.js";

let kernel: KernelProcess;
let client: Client;
/** Errors that were shown, under whichever cell. */
const errors: unknown[] = [];
beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = new Client(kernel.connection);
  await client.ready();
  void client.next(({ header, content }) => {
    if (header.msg_type === "error") errors.push(content["ename"]);
    return false;
  });
  await client.execute("let reached = 0; let threads = 0; process.on('worker', () => threads++);");
});
afterAll(async () => {
  client.close();
  await kernel.stop();
});

// A sweep far too long to wait for, which says when its first points are done. No cell hands it a signal.
const long = `
import { lockScaling } from "iommu-lab/experiments";
import { sweep } from "iommu-lab/sweep";
reached = 0;
const result = await sweep(
  lockScaling,
  { cores: [[1]], seed: Array.from({ length: 20_000 }, (_, i) => i) },
  { jobs: 2, onProgress: (done) => { reached = done; if (done === 10) console.log("under way"); } },
);`;
const short = `
import { lockScaling } from "iommu-lab/experiments";
import { sweep } from "iommu-lab/sweep";
const few = await sweep(lockScaling, { cores: [[1]], seed: [1, 2, 3, 4] }, { jobs: 2 });
JSON.stringify(few.runs.map(({ run }) => run.rows))`;

const ways = {
  signal: () => kernel.process.kill("SIGINT"),
  message: () => client.send("control", "interrupt_request", {}),
};

/** Interrupts the long sweep; the time until its cell has ended. */
async function interrupt(by: keyof typeof ways): Promise<number> {
  let sent = 0;
  const { reply } = await client.execute(long, {}, ({ content }) => {
    if (!String(content["text"]).includes("under way")) return;
    sent = performance.now();
    ways[by]();
  });
  const took = performance.now() - sent;
  expect([reply.content["status"], reply.content["ename"]]).toEqual(["error", "KeyboardInterrupt"]);
  return took;
}
const value = async (code: string): Promise<string | undefined> => resultText(await client.execute(code));
/** Whether threads compute on: without any, the process uses no more than what the wait itself takes. */
const idle = (): Promise<string | undefined> =>
  value(
    "const before = process.cpuUsage(); await new Promise((done) => setTimeout(done, 1500)); process.cpuUsage(before).user / 1.5e6 < 0.5",
  );

describe.each(["signal", "message"] as const)("an interrupt by %s during a sweep in a cell", (by) => {
  it("ends the threads that the cell itself has started, and keeps what the notebook knew", async () => {
    // Half a second, and what a busy machine adds: far from the hours that the sweep would take.
    expect(await interrupt(by)).toBeLessThan(10_000);
    expect(await value("[reached >= 10, reached < 20_000]")).toBe("[ true, true ]");
    expect(await idle()).toBe("true");
  });

  it("ends threads that an earlier cell has started, and the next sweep works at once, with the same result", async () => {
    const rows = await value(short);
    const threads = Number(await value("threads"));
    expect(await interrupt(by)).toBeLessThan(10_000);
    // It was the earlier cell's threads that computed.
    expect(await value("threads")).toBe(String(threads));
    expect(await value("[reached >= 10, reached < 20_000]")).toBe("[ true, true ]");
    expect(await idle()).toBe("true");
    expect(await value(short)).toBe(rows);
    expect(await value("threads")).toBe(String(threads + 2));
  });

  it("leaves threads alone that only earlier cells have used", async () => {
    const threads = await value("threads");
    await client.execute('console.log("on"); await new Promise(() => {});', {}, ({ content }) => {
      if (String(content["text"]).startsWith("on")) ways[by]();
    });
    await value(short);
    expect(await value("threads")).toBe(threads);
  });
});

it("shows no error but the interrupts", () => {
  expect(errors).toEqual(Array(6).fill("KeyboardInterrupt"));
});
