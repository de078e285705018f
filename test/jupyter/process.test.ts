import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Client, connectionFile, KernelProcess, resultText } from "./jupyter-client.js";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function start(env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<{ kernel: KernelProcess; client: Client }> {
  const kernel = await KernelProcess.start(env, cwd);
  cleanUp.push(() => kernel.stop());
  const client = new Client(kernel.connection);
  cleanUp.push(() => client.close());
  await client.ready();
  return { kernel, client };
}

/** Ids of the processes that a process has started. */
const childrenOf = (pid: number): number[] =>
  execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^Z/.test(execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }));
  } catch {
    return false;
  }
};
async function gone(pids: number[]): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    if (!pids.some(alive)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe("the kernel process", () => {
  it("killed with SIGKILL during an endless loop leaves no process behind", async () => {
    const { kernel, client } = await start();
    await client.execute("1");
    const children = childrenOf(kernel.process.pid!);
    expect(children.length).toBe(2);
    void client.execute("while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 500));
    kernel.process.kill("SIGKILL");
    expect(await gone([kernel.process.pid!, ...children])).toBe(true);
  });

  it("ends, with its processes, when the process that started it is gone", async () => {
    const { file, connection } = await connectionFile();
    // A front end that starts the kernel and dies a little later.
    const cli = new URL("../../src/cli/iommu-lab.mjs", import.meta.url).pathname;
    const script = `const c = require("node:child_process").spawn(process.execPath, [${JSON.stringify(cli)}, "kernel", "run", ${JSON.stringify(file)}], { detached: true, stdio: "ignore", env: { ...process.env, JPY_PARENT_PID: String(process.pid) } }); console.log(c.pid); setInterval(() => {}, 1000);`;
    const frontEnd = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    const pid = await new Promise<number>((resolve) => frontEnd.stdout.once("data", (text) => resolve(Number(text))));
    const client = new Client(connection);
    cleanUp.push(() => client.close());
    await client.ready();
    const children = childrenOf(pid);
    void client.execute("while (true) {}");
    frontEnd.kill("SIGKILL");
    expect(await gone([pid, ...children])).toBe(true);
  });

  it("answers heartbeat, kernel_info, completion and inspection while a cell is in an endless loop", async () => {
    const { client } = await start();
    await client.execute("const answer = 42");
    const looping = client.execute("while (true) {}");
    expect(await client.heartbeat()).toBe(true);
    expect((await client.request("kernel_info_request", {})).content["implementation"]).toBe("iommu-lab");
    expect((await client.request("complete_request", { code: "answe", cursor_pos: 5 })).content["matches"]).toContain(
      "answer",
    );
    const inspected = await client.request("inspect_request", { code: "Math.max(", cursor_pos: 9 });
    expect(JSON.stringify(inspected.content["data"])).toMatch(/max\(\.\.\.values: number\[\]\): number/);
    await client.request("interrupt_request", {}, "control");
    expect((await looping).reply.content["ename"]).toBe("KeyboardInterrupt");
  });

  it("serves two front ends: each sees what the other's cell puts out, and state is shared", async () => {
    const { kernel, client } = await start();
    const second = new Client(kernel.connection);
    cleanUp.push(() => second.close());
    await second.ready();
    const seen = second.next((m) => m.header.msg_type === "stream");
    await client.execute('const shared = 1; console.log("to both")');
    expect((await seen).content["text"]).toBe("to both\n");
    expect(resultText(await second.execute("shared + 1"))).toBe("2");
  });

  it("a failed cell aborts what its front end had queued, not what another had", async () => {
    const { kernel, client } = await start();
    const second = new Client(kernel.connection);
    cleanUp.push(() => second.close());
    await second.ready();
    const first = client.execute('await new Promise((r) => setTimeout(r, 300)); throw new Error("no")');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const queued = client.execute("1");
    const other = second.execute("2");
    expect((await first).reply.content["status"]).toBe("error");
    expect((await queued).reply.content["status"]).toBe("aborted");
    expect(resultText(await other)).toBe("2");
  });

  it("asks the front end whose cell asks", async () => {
    const { client } = await start();
    client.onInput = (prompt) => `you said ${prompt}`;
    expect(resultText(await client.execute('await lab.prompt("hello")'))).toBe("'you said hello'");
    client.onInput = undefined;
    const refused = await client.execute('await lab.prompt("hello")', { allow_stdin: false });
    expect(String(refused.reply.content["evalue"])).toMatch(/without anyone to ask/);
  });

  it("goes on for a front end that connects again, and shuts down when asked", async () => {
    const { kernel, client } = await start();
    await client.execute("const before = 'kept'");
    client.close();
    const again = new Client(kernel.connection);
    cleanUp.push(() => again.close());
    await again.ready();
    expect(resultText(await again.execute("before"))).toBe("'kept'");
    const children = childrenOf(kernel.process.pid!);
    expect((await again.request("shutdown_request", { restart: true }, "control")).content).toEqual({
      status: "ok",
      restart: true,
    });
    expect(await kernel.exited).toBe(0);
    expect(await gone(children)).toBe(true);
  });

  it("works from any folder, with relative imports of that folder", async () => {
    const folder = join(tmpdir(), `iommu-lab-elsewhere-${process.pid}`);
    const { mkdirSync, rmSync } = await import("node:fs");
    mkdirSync(folder, { recursive: true });
    cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "mine.ts"), "export const mine: number = 3;\n");
    const { client } = await start({}, folder);
    expect(resultText(await client.execute('import { mine } from "./mine"; mine'))).toBe("3");
    const typed = await client.execute('import { lineFigure } from "iommu-lab/plot"; const n: number = lineFigure;');
    expect(String(typed.reply.content["evalue"])).toMatch(/^TS2322/);
    expect(resultText(await client.execute('import { lineFigure } from "iommu-lab/plot"; typeof lineFigure'))).toBe(
      "'function'",
    );
    writeFileSync(join(folder, "mine.ts"), "export const mine: number = 4;\n");
    expect(resultText(await client.execute('import { mine } from "./mine"; mine'))).toBe("4");
  });

  it.each([
    ["is missing", "no-such-file.json", /^There is no connection file at .*no-such-file\.json/],
    ["is not JSON", "{", /is not a JSON object\.$/],
    ["lacks a port", '{"ip":"127.0.0.1"}', /shell_port must be a port number from 1 to 65535; it is missing\.$/],
    ["names another machine", '{"ip":"192.168.0.1"}', /ip must be a loopback address/],
  ])("says in one sentence when the connection file %s", async (_, content, message) => {
    const { file } = await connectionFile();
    let path = file;
    if (content.endsWith(".json")) path = join(file, "..", content);
    else writeFileSync(file, content);
    expect(await lastWords(path)).toMatch(message);
  });

  it("says in one sentence when a port is in use", async () => {
    const { kernel } = await start();
    expect(await lastWords(kernel.file)).toMatch(
      /^The kernel cannot listen on tcp:\/\/127\.0\.0\.1:\d+ \(shell_port\): another program uses that port\.$/,
    );
  });
});

/** What a kernel says that cannot start. */
async function lastWords(file: string): Promise<string> {
  const cli = new URL("../../src/cli/iommu-lab.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [cli, "kernel", "run", file], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(1);
  return stderr.trim();
}
