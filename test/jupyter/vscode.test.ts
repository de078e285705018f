/**
 * VS Code's notebook extension as a front end, as far as its public threads and logs tell: it asks for kernel_info every half second until an answer
 * comes (#16115), sends a cell's id and metadata with each request (#13288), interrupts a kernel whose specification says "message" on the control
 * channel and others by a signal (#8108), asks for completions and for inspection while a cell runs, and gives up on the latter after 20 s (#15214).
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/jupyter/session/message.js";
import { kernelSpec } from "../../src/lab/kernelspec.js";
import { Client, KernelProcess, resultText } from "./jupyter-client.js";

let kernel: KernelProcess;
let client: Client;
beforeAll(async () => {
  kernel = await KernelProcess.start();
  client = new Client(kernel.connection);
});
afterAll(async () => {
  client.close();
  await kernel.stop();
});

it("answers each of several kernel_info requests that were sent before it was up", async () => {
  const ids = new Set<string>();
  const answered = new Promise<void>((resolve) => {
    void client.next((m, channel) => {
      if (channel === "shell" && m.header.msg_type === "kernel_info_reply") ids.delete(String(m.parent["msg_id"]));
      if (sent && ids.size === 0) resolve();
      return sent && ids.size === 0;
    });
  });
  let sent = false;
  for (let i = 0; i < 3; i++) {
    ids.add(client.send("shell", "kernel_info_request", {}));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  sent = true;
  ids.add(client.send("shell", "kernel_info_request", {}));
  await answered;
  const { content } = await client.request("kernel_info_request", {}, "control");
  const info = content["language_info"] as JsonObject;
  // By these it finds the editor's language; the specification's must be the same.
  expect(info).toMatchObject({ name: "typescript", file_extension: ".ts", mimetype: "text/typescript" });
  expect(kernelSpec()).toMatchObject({ language: "typescript", interrupt_mode: "message" });
  expect(kernelSpec().argv.at(-1)).toBe("{connection_file}");
});

it("runs what is sent silently, without a count or a place in the history", async () => {
  const silent = { silent: true, store_history: false, allow_stdin: false, stop_on_error: false };
  const first = await client.execute("globalThis.started = 1", silent);
  expect(first.reply.content).toMatchObject({ status: "ok", execution_count: 0 });
  expect(first.outputs.map((m) => m.header.msg_type)).toEqual(["status", "status"]);
  const { content } = await client.request("history_request", { hist_access_type: "tail", n: 10, raw: true });
  expect(content["history"]).toEqual([]);
});

it("takes a cell with its id and metadata, and counts it", async () => {
  const metadata = {
    cellId: "vscode-notebook-cell:/a.ipynb#W0sZmlsZQ==",
    vscode: { languageId: "typescript" },
    trusted: true,
  };
  const cell = await client.execute("let answer = 42; answer", {}, undefined, metadata);
  expect(resultText(cell)).toBe("42");
  expect(cell.reply.content["execution_count"]).toBe(1);
});

it("answers comm_info with and without a target", async () => {
  for (const content of [{}, { target_name: "jupyter.widget" }, { target_name: "" }])
    expect((await client.request("comm_info_request", content)).content).toMatchObject({ status: "ok", comms: {} });
});

it("answers completion and inspection, several at once, while a cell runs; the control channel ends it", async () => {
  const running = client.execute("console.log('on'); while (true) {}", {}, ({ header }) => {
    if (header.msg_type === "stream") on();
  });
  let on = () => {};
  await new Promise<void>((resolve) => (on = resolve));
  const code = "answer.toF";
  const completion = await client.request("complete_request", { code, cursor_pos: code.length });
  expect(completion.content).toMatchObject({ status: "ok", matches: ["toFixed"], cursor_start: 7, cursor_end: 10 });
  const inspect = () => client.request("inspect_request", { code: "answer", cursor_pos: 3, detail_level: 0 });
  for (const { content } of await Promise.all([inspect(), inspect(), inspect()]))
    expect(content).toMatchObject({ status: "ok", found: true });
  expect((await client.request("interrupt_request", {}, "control")).content["status"]).toBe("ok");
  expect((await running).reply.content["ename"]).toBe("KeyboardInterrupt");
});

it("a signal ends a cell too, and the variables are there afterwards", async () => {
  let on = () => {};
  const running = client.execute("console.log('on'); while (true) {}", {}, ({ header }) => {
    if (header.msg_type === "stream") on();
  });
  await new Promise<void>((resolve) => (on = resolve));
  kernel.process.kill("SIGINT");
  expect((await running).reply.content["ename"]).toBe("KeyboardInterrupt");
  expect(resultText(await client.execute("answer"))).toBe("42");
});
