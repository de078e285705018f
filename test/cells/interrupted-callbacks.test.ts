import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";
import { run, runNext } from "../jupyter/support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startInProcessKernel();
  await run(
    kernel,
    `let kept = 1; import fs from "node:fs"; import net from "node:net"; import http from "node:http"; import child from "node:child_process";
     import crypto from "node:crypto"; import zlib from "node:zlib"; import dns from "node:dns"; import dgram from "node:dgram";
     let begun = 0; const loop = () => { begun++; while (true) {} }; const listening = async (server: net.Server) => {
       await new Promise<void>((r) => server.listen(0, "127.0.0.1", r)); return (server.address() as net.AddressInfo).port };`,
  );
});
afterAll(() => kernel.shutdown());

/** Starts a hundred of something whose callback loops, interrupts it, and runs the next cell: how long that took. */
async function interrupted(prepare: string, each: string): Promise<number> {
  const execution = kernel.execute(
    `kept++; begun = 0; ${prepare}; console.log("on"); for (let i = 0; i < 100; i++) ${each}; await new Promise(() => {})`,
  );
  let sent = Number.NaN;
  for await (const { type } of execution) {
    if (type !== "stream") continue;
    setTimeout(() => {
      sent = performance.now();
      void kernel.interrupt();
    }, 100);
  }
  expect((await execution.reply).ename).toBe("KeyboardInterrupt");
  expect(await runNext(kernel, "kept > 1")).toBe("true");
  // Few of them: those that come after one that was terminated are dropped.
  expect(Number(await runNext(kernel, "begun"))).toBeLessThan(20);
  return performance.now() - sent;
}

it.each([
  ["reading files", "", 'fs.readFile("package.json", loop)'],
  ["asking for files", "", 'fs.stat("package.json", loop)'],
  ["promises of files", "", 'fs.promises.readFile("package.json").then(loop)'],
  ["promises of cryptography", "", 'crypto.subtle.digest("SHA-256", new Uint8Array(3)).then(loop)'],
  ["streams of files", "", 'fs.createReadStream("package.json").on("data", loop)'],
  ["ends of streams", "", 'fs.createReadStream("package.json").resume().on("end", loop)'],
  ["random bytes", "", "crypto.randomBytes(16, loop)"],
  ["derived keys", "", 'crypto.pbkdf2("a", "b", 1, 10, "sha1", loop)'],
  ["packing", "", 'zlib.gzip("a", loop)'],
  ["names", "", 'dns.lookup("localhost", loop)'],
  ["exits of children", "", 'child.spawn("true").on("exit", loop)'],
  ["output of children", "", 'child.spawn("echo", ["a"]).stdout.on("data", loop)'],
  ["connections", "var port = await listening(net.createServer(loop))", "net.connect(port)"],
  ["connecting", "var port = await listening(net.createServer())", 'net.connect(port, "127.0.0.1", loop)'],
  [
    "what sockets bring",
    'var port = await listening(net.createServer((s) => { s.on("data", loop) }))',
    'net.connect(port).write("x")',
  ],
  [
    "closing",
    "var port = await listening(net.createServer((s) => { s.end() }))",
    'net.connect(port).resume().on("close", loop)',
  ],
  [
    "requests",
    "var port = await listening(http.createServer(loop))",
    'http.get({ port, agent: false }).on("error", () => {})',
  ],
  [
    "answers",
    'var port = await listening(http.createServer((_, answer) => { answer.end("x") }))',
    'http.get({ port, agent: false }, loop).on("error", () => {})',
  ],
  [
    "fetched pages",
    'var port = await listening(http.createServer((_, answer) => { answer.end("x") }))',
    'fetch("http://127.0.0.1:" + port).then(loop)',
  ],
  [
    "pages that are fetched while it is interrupted",
    'var port = await listening(http.createServer((_, answer) => { setTimeout(() => answer.end("x"), Math.random() * 300) }))',
    'fetch("http://127.0.0.1:" + port).then(loop)',
  ],
  [
    "texts of pages",
    'var port = await listening(http.createServer((_, answer) => { answer.end("x") }))',
    'fetch("http://127.0.0.1:" + port).then((a) => a.text()).then(loop)',
  ],
  [
    "datagrams",
    `var to = dgram.createSocket("udp4"), from = dgram.createSocket("udp4"); to.on("message", loop);
     await new Promise<void>((r) => to.bind(0, "127.0.0.1", r)); var { port } = to.address()`,
    'from.send("x", port, "127.0.0.1")',
  ],
])("a hundred callbacks of %s that loop end together", async (_, prepare, each) => {
  // Each takes 25 ms by itself; a process that cannot be kept is replaced after 20 s.
  expect(await interrupted(prepare, each)).toBeLessThan(10_000);
});

it("what an earlier cell waits for comes after the interrupt, in order", async () => {
  await run(
    kernel,
    `var got: string[] = []; var port = await listening(net.createServer((s) => { s.on("data", (d) => got.push(String(d))) }));
     var client = net.connect(port); await new Promise<void>((r) => client.on("connect", () => r())); client.setNoDelay(true);
     var writer = child.spawn("sh", ["-c", "for i in 1 2 3 4 5; do sleep 0.1; echo $i; done"]); writer.stdout.on("data", (d) => client.write(d)); 0`,
  );
  const execution = kernel.execute('console.log("on"); while (true) {}');
  for await (const { type } of execution) if (type === "stream") setTimeout(() => void kernel.interrupt(), 700);
  expect((await execution.reply).ename).toBe("KeyboardInterrupt");
  await run(
    kernel,
    "for (let i = 0; i < 100 && got.join('').length < 10; i++) await new Promise((r) => setTimeout(r, 20))",
  );
  expect((await run(kernel, 'got.join("").split("\\n").filter(Boolean).join()')).result).toBe("'1,2,3,4,5'");
});

it("an error of a promise of files still leads to its place in the cell", async () => {
  const { traceback } = await run(
    kernel,
    'const read = async () => {\n  await fs.promises.readFile("nowhere")\n};\nawait read()',
  );
  expect(traceback).toMatch(/ENOENT[\s\S]*cell \[\d+\]:2:3/);
  expect(traceback).not.toContain("entries");
});

it("after it, files, children and servers work as before", async () => {
  const { result } = await run(
    kernel,
    `var port = await listening(http.createServer((_, answer) => { answer.end("x") }));
     [await (await fetch("http://127.0.0.1:" + port)).text(), await new Promise((r) => fs.readFile("package.json", () => r(1))),
      await new Promise((r) => child.exec("echo a", (_, out) => r(out))), await new Promise((r) => crypto.randomBytes(3, (_, b) => r(b.length)))]`,
  );
  expect(result).toBe("[ 'x', 1, 'a\\n', 3 ]");
});
