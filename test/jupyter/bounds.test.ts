import { spawnSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Subscriber } from "zeromq";
import { readConnection } from "../../src/jupyter/wire/connection.js";
import { Client, connectionFile, KernelProcess, resultText } from "./jupyter-client.js";

let kernel: KernelProcess;
let client: Client;
beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = new Client(kernel.connection);
  await client.ready();
});
afterAll(async () => {
  client.close();
  await kernel.stop();
});

const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** A rightly signed request with parts as they are given. */
function signed(parts: { header?: string; metadata?: string; content?: string }): Buffer[] {
  const [delimiter, , header, parent, metadata, content] = client.frames("execute_request", { code: "1" });
  const texts = [
    parts.header === undefined ? header : Buffer.from(header.toString().replace(/}$/, `,${parts.header}}`)),
    parent,
    parts.metadata === undefined ? metadata : Buffer.from(parts.metadata),
    parts.content === undefined ? content : Buffer.from(parts.content),
  ];
  const hmac = createHmac("sha256", String(kernel.connection["key"]));
  for (const text of texts) hmac.update(text);
  return [delimiter, Buffer.from(hmac.digest("hex")), ...texts];
}

it.each([
  ["a header nested 20,000 deep", { header: `"x":${deep(20_000)}` }],
  ["metadata nested 20,000 deep", { metadata: `{"x":${deep(20_000)}}` }],
  ["content nested 20,000 deep", { content: `{"code":"1","x":${deep(20_000)}}` }],
  ["user expressions that are none", { content: '{"code":"1","user_expressions":[1],"silent":3}' }],
  ["a header of a megabyte", { header: `"x":"${"y".repeat(1 << 20)}"` }],
])("after a request with %s the next cell runs", async (_, parts) => {
  await client.raw("shell", signed(parts));
  expect(resultText(await client.execute("1 + 1"))).toBe("2");
});

it("huge subscriptions and thousands of them cost no memory and stop nobody", async () => {
  await client.execute("1");
  const before = kernel.memoryMb();
  const bully = new Subscriber({ linger: 0 });
  bully.connect(`tcp://127.0.0.1:${kernel.connection["iopub_port"]}`);
  bully.subscribe(Buffer.alloc(100 << 20, 97));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const crowd = new Subscriber({ linger: 0 });
  crowd.connect(`tcp://127.0.0.1:${kernel.connection["iopub_port"]}`);
  for (let i = 0; i < 20_000; i++) crowd.subscribe(`topic ${i}`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(resultText(await client.execute("2 + 2"))).toBe("4");
  bully.close();
  crowd.close();
  expect(kernel.memoryMb() - before).toBeLessThan(100);
});

it("an empty key is refused unless it is asked for", async () => {
  const { file } = await connectionFile({ key: "" });
  expect(() => readConnection(file)).toThrow(/key is empty, so anyone on this machine could run code .* --unsigned/);
  expect(readConnection(file, { unsigned: true }).key).toBe("");
});

it.each([
  ["shut down", async () => void (await client.request("shutdown_request", { restart: false }, "control"))],
  ["killed", async () => void kernel.process.kill("SIGKILL")],
])("what a cell has started ends with a kernel that is %s", { timeout: 60_000 }, async (_, end) => {
  if (kernel.process.exitCode !== null || kernel.process.signalCode !== null) {
    kernel = await KernelProcess.start();
    client = new Client(kernel.connection);
    await client.ready();
  }
  const name = `${600 + Math.floor(process.pid % 1000)}.5`;
  await client.execute(
    `import { spawn, exec } from "node:child_process"; spawn("sleep", ["${name}"]); exec("sleep ${name} & sleep ${name}"); await new Promise((r) => setTimeout(r, 300))`,
  );
  const sleepers = () => spawnSync("pgrep", ["-f", `^sleep ${name}`], { encoding: "utf8" }).stdout.trim();
  expect(sleepers()).not.toBe("");
  await end();
  await kernel.exited;
  for (let i = 0; i < 100 && sleepers() !== ""; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(sleepers()).toBe("");
  client.close();
});
