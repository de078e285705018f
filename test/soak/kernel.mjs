// The kernel under interrupts of every shape, under a hail of messages, and started again and again on a busy machine. `--count` is the number of
// interrupts; of messages there are a hundred times as many, of starts a fiftieth. SOAK_PARTS=wire,starts runs some of the parts.
import { spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Dealer, Subscriber } from "zeromq";
import { startInProcessKernel } from "../../dist/jupyter/index.js";
import { harmlessTypes } from "../jupyter/message-types.mjs";
import { shapes } from "./kernel/shapes.mjs";
import { Random } from "./random.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** No part goes on for longer; SOAK_MINUTES says another time. */
const partMs = Number(process.env.SOAK_MINUTES ?? 30) * 60_000;
export const defaultCount = 10_000;

const quantile = (values, q) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};
const load = () => loadavg()[0].toFixed(1);

/** Interrupts at random moments: none loses a variable, none takes more than five seconds. */
async function interrupts({ rounds, seed, say, fail }) {
  const random = new Random(seed);
  const names = Object.keys(shapes);
  const until = performance.now() + partMs;
  let lines = [];
  const kernel = await startInProcessKernel({
    cwd: root,
    onInput: () => new Promise(() => {}),
    log: (l) => lines.push(l),
  });
  // What bypasses Node's streams arrives here as well: the last words of a process that has died.
  let stderr = "";
  kernel.subscribe(({ type, content }) => {
    if (type === "stream" && content.name === "stderr" && !content.text.includes("line of a flood"))
      stderr = (stderr + content.text).slice(-4000);
    if (type === "error") stderr = `${stderr}${content.traceback.join("\n")}\n`.slice(-4000);
  });
  const value = async (code) => {
    const execution = kernel.execute(code);
    let text;
    for await (const { type, content } of execution) if (type === "execute_result") text = content.data["text/plain"];
    const { status, evalue } = await execution.reply;
    return status === "ok" ? text : `${status}: ${evalue}`;
  };
  await value("let kept = 0; 0");
  const times = new Map(names.map((name) => [name, []]));
  let expected = 0;
  let done = 0;
  let lost = 0;
  for (; done < rounds && performance.now() < until; done++) {
    const name = done < names.length ? names[done] : random.pick(names);
    const delay = random.below(3) === 0 ? 0 : random.below(40);
    const code = `kept++;\n${shapes[name].replace(/\b(\w)V\b/g, `$1_${done}`)}`;
    const execution = kernel.execute(code, { allowStdin: true });
    let sent = 0;
    let timer;
    let late;
    for await (const { type } of execution)
      if (type === "stream" && timer === undefined)
        timer = setTimeout(() => {
          sent = performance.now();
          late = setTimeout(
            () => say(`  round ${done}, ${name}: no answer in 10 s; ${lines.at(-1) ?? ""} ${stderr}`),
            10_000,
          );
          void kernel.interrupt();
        }, delay);
    const reply = await execution.reply;
    clearTimeout(late);
    const ms = performance.now() - sent;
    times.get(name).push(ms);
    expected++;
    const stopped = reply.ename === "KeyboardInterrupt" || /Command failed/.test(reply.evalue ?? "");
    if (!stopped) fail(`round ${done}, ${name}: ended with ${reply.status} ${reply.ename}: ${reply.evalue}`);
    if (ms > 5000) fail(`round ${done}, ${name}: ${ms.toFixed(0)} ms`);
    const kept = await value("kept");
    if (kept !== String(expected)) {
      lost++;
      fail(`round ${done}, ${name}: kept is ${kept} instead of ${expected} (${lines.at(-1) ?? "nothing was logged"})`);
      say(
        `  ${JSON.stringify(lines)}\n  after ${reply.ename} in ${ms.toFixed(0)} ms; its standard error: ${stderr || "empty"}`,
      );
      await value("let kept = 0; 0");
      expected = 0;
    }
    lines = [];
    stderr = "";
    if (done % 500 === 499) say(`  ${done + 1} interrupts, ${lost} lost, load ${load()}`);
  }
  await kernel.shutdown();
  const all = [...times.values()].flat();
  const slow = [...times]
    .map(([name, ms]) => [name, quantile(ms, 1)])
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  return [
    `interrupts: ${done} over ${names.length} shapes, ${lost} lost; ms median ${quantile(all, 0.5).toFixed(0)}, p99 ${quantile(all, 0.99).toFixed(0)}, most ${quantile(all, 1).toFixed(0)}`,
    `slowest: ${slow.join(", ")}`,
  ].join("\n  ");
}

async function freePorts(n) {
  const servers = await Promise.all(
    Array.from({ length: n }, () => {
      const server = createServer();
      return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Has a kernel tell what its heap holds after a garbage collection. */
const tell = `process.on("SIGUSR2", () => { gc(); const { heapUsed, external } = process.memoryUsage();
  require("node:fs").writeFileSync(process.env.SOAK_HEAP, String((heapUsed + external) / 2 ** 20)) })`;

/** A kernel in a process of its own and a front end for it. */
async function launch() {
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
  const key = randomUUID();
  const connection = {
    ip: "127.0.0.1",
    transport: "tcp",
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    key,
  };
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-soak-"));
  writeFileSync(join(folder, "connection.json"), JSON.stringify(connection));
  const [heapFile, told] = [join(folder, "heap"), join(folder, "tell.cjs")];
  writeFileSync(told, tell);
  const kernel = spawn(
    process.execPath,
    [
      ...["--expose-gc", "--require", told],
      ...[join(root, "src/cli/iommu-lab.mjs"), "kernel", "run", join(folder, "connection.json")],
    ],
    { stdio: "ignore", detached: true, cwd: root, env: { ...process.env, SOAK_HEAP: heapFile } },
  );
  /** What is alive in the kernel's heap, in MB. */
  const heapMb = async () => {
    rmSync(heapFile, { force: true });
    kernel.kill("SIGUSR2");
    for (let i = 0; i < 600; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (existsSync(heapFile) && statSync(heapFile).size > 0) return Number(readFileSync(heapFile, "utf8"));
    }
    return Number.NaN;
  };
  const session = randomUUID();
  const sockets = {};
  for (const channel of ["shell", "control", "stdin"]) {
    sockets[channel] = new Dealer({ linger: 0, routingId: session });
    sockets[channel].connect(`tcp://127.0.0.1:${connection[`${channel}_port`]}`);
  }
  const iopub = new Subscriber({ linger: 0 });
  iopub.connect(`tcp://127.0.0.1:${iopub_port}`);
  iopub.subscribe("");
  const waiting = new Map();
  const listen = async (socket) => {
    try {
      for await (const frames of socket) {
        const at = frames.findIndex((frame) => frame.toString() === "<IDS|MSG>");
        const parent = JSON.parse(frames[at + 3].toString()).msg_id;
        const type = JSON.parse(frames[at + 2].toString()).msg_type;
        if (!type.endsWith("_reply")) continue;
        waiting.get(parent)?.(JSON.parse(frames[at + 5].toString()));
        waiting.delete(parent);
      }
    } catch {
      // Closed.
    }
  };
  for (const socket of [...Object.values(sockets), iopub]) void listen(socket);
  const frames = (type, content, id = randomUUID()) => {
    const header = { msg_id: id, session, username: "soak", date: "", msg_type: type, version: "5.4" };
    const parts = [header, {}, {}, content].map((part) => Buffer.from(JSON.stringify(part)));
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return [Buffer.from("<IDS|MSG>"), Buffer.from(hmac.digest("hex")), ...parts];
  };
  const request = (type, content, ms) => {
    const id = randomUUID();
    const reply = new Promise((resolve, reject) => {
      waiting.set(id, resolve);
      setTimeout(() => reject(new Error(`no ${type} reply in ${ms} ms`)), ms).unref();
    });
    void sockets.shell.send(frames(type, content, id));
    return reply;
  };
  const close = async () => {
    for (const socket of [...Object.values(sockets), iopub]) socket.close();
    const exited = new Promise((resolve) => kernel.once("exit", resolve));
    if (kernel.exitCode === null && kernel.signalCode === null) {
      kernel.kill("SIGTERM");
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  return { kernel, sockets, frames, request, close, heapMb };
}

/** Messages of every brokenness: the kernel lives, is in its right mind, and is no larger. */
async function wire({ total, seed, say, fail }) {
  const random = new Random(seed);
  const until = performance.now() + partMs;
  const { kernel, sockets, frames, request, close, heapMb } = await launch();
  const memoryMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${kernel.pid}/status`, "utf8"))[1]) / 1024;
  const execute = (code) => request("execute_request", { code, silent: false, user_expressions: {} }, 120_000);
  if ((await execute("let canary = 1; canary")).status !== "ok") fail("the first cell");
  const bytes = () => Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)));
  const json = (depth = 0) => {
    switch (random.below(depth > 3 ? 5 : 8)) {
      case 0:
        return null;
      case 1:
        return random.next() * 1e6 - 5e5;
      case 2:
        return random.below(2) === 0;
      case 3:
        return bytes().toString("utf8");
      case 4:
        return random.below(100);
      case 5:
        return Array.from({ length: random.below(4) }, () => json(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: random.below(4) }, () => [bytes().toString("latin1"), json(depth + 1)]),
        );
    }
  };
  const fields = ["code", "cursor_pos", "comm_id", "target_name", "data", "hist_access_type", "n", "pattern", "value"];
  const content = () => {
    const made = {};
    for (const field of fields) if (random.below(3) === 0) made[field] = json();
    // Code that is a string would be compiled: that is the compiler's soak.
    if (typeof made.code === "string") delete made.code;
    return made;
  };
  const message = () => {
    switch (random.below(5)) {
      case 0:
        return Array.from({ length: 1 + random.below(9) }, bytes);
      case 1:
        return [
          Buffer.from("<IDS|MSG>"),
          ...Array.from({ length: random.below(8) }, () => Buffer.from(JSON.stringify(json()) ?? "")),
        ];
      case 2:
        return frames(random.pick(harmlessTypes), content()).with(random.below(6), bytes());
      default:
        return frames(random.pick(harmlessTypes), content());
    }
  };
  let before = 0;
  let heapBefore = 0;
  let most = 0;
  let sent = 0;
  // The kernel keeps the signatures of the latest 65,536 messages, against repetitions: until it has so many, it grows.
  const settle = Math.min(250_000, Math.floor(total / 4));
  for (; sent < total && performance.now() < until; sent++) {
    await sockets[random.pick(["shell", "shell", "control", "stdin"])].send(message());
    if (sent % 500 === 499) await request("kernel_info_request", {}, 120_000);
    if (sent >= settle && sent % 10_000 === 0) {
      const now = memoryMb();
      before ||= now;
      heapBefore ||= await heapMb();
      most = Math.max(most, now);
    }
    if (sent % 100_000 === 99_999) say(`  ${sent + 1} messages, ${memoryMb().toFixed(0)} MB, load ${load()}`);
  }
  const heapAfter = await heapMb();
  if (!(heapAfter - heapBefore < 5))
    fail(`what is alive in the heap grew by ${(heapAfter - heapBefore).toFixed(1)} MB`);
  const { status } = await execute("if (canary !== 1) throw new Error(String(canary))");
  if (status !== "ok") fail("the variable was not kept");
  if (kernel.exitCode !== null) fail("the kernel has ended");
  if (most - before > 20) fail(`memory grew by ${(most - before).toFixed(1)} MB`);
  await close();
  return `wire: ${sent} messages; memory ${before.toFixed(0)} MB after ${settle}, at most ${most.toFixed(0)} MB; alive in its heap ${heapBefore.toFixed(1)} MB, then ${heapAfter.toFixed(1)} MB`;
}

/** First cells of new kernels while the machine is busy: each is answered. */
async function starts({ total, fail }) {
  const until = performance.now() + partMs;
  const busy = Array.from({ length: 6 }, () => spawn(process.execPath, ["-e", "while (true) {}"]));
  const times = [];
  let done = 0;
  try {
    for (; done < total && performance.now() < until; done++) {
      const began = performance.now();
      const { request, close } = await launch();
      try {
        await request("kernel_info_request", {}, 60_000);
        const { status } = await request("execute_request", { code: "1 + 1", user_expressions: {} }, 60_000);
        if (status !== "ok") fail(`start ${done}: ${status}`);
        times.push(performance.now() - began);
      } catch (error) {
        fail(`start ${done}: ${error.message}`);
      } finally {
        await close();
      }
    }
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
  return `starts: ${done} with six busy processes beside them, ${done - times.length} lost; first result after ${quantile(times, 0.5).toFixed(0)} ms (median), ${quantile(times, 1).toFixed(0)} (most), load ${load()}`;
}

export async function soak({ count, seed, say }) {
  const wanted = (process.env.SOAK_PARTS ?? "interrupts,wire,starts").split(",");
  const faults = [];
  const fail = (text) => {
    faults.push(`${text} (seed ${seed})`);
    say(`FAULT ${text}`);
  };
  const report = [];
  const parts = {
    interrupts: () => interrupts({ rounds: count, seed, say, fail }),
    wire: () => wire({ total: count * 100, seed, say, fail }),
    starts: () => starts({ total: Math.max(1, Math.round(count / 50)), fail }),
  };
  for (const part of wanted) {
    const line = await parts[part]();
    say(line);
    report.push(line);
  }
  return { report: report.join("\n"), faults };
}
