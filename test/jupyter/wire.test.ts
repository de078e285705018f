import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Codec, WireError } from "../../src/jupyter/wire/codec.js";
import { fc } from "../support/property.js";
import { Client, KernelProcess, resultText } from "./jupyter-client.js";
import { harmlessTypes } from "./message-types.mjs";

describe("the codec", () => {
  const codec = () => new Codec("secret", "hmac-sha256");
  const header = { msg_id: "1", session: "s", username: "u", date: "", msg_type: "t", version: "5.4" };
  const message = { header, parent: {}, metadata: {}, content: { a: "ü" }, buffers: [Buffer.from([1, 2])] };

  it("gives back what it has put together", () => {
    const frames = codec().encode([Buffer.from("who")], message);
    const decoded = codec().decode("shell", frames);
    expect(decoded).toMatchObject({ header, content: { a: "ü" }, peer: [Buffer.from("who")] });
    expect(decoded.buffers).toEqual([Buffer.from([1, 2])]);
  });

  it("refuses a wrong signature, a repetition and each broken part", () => {
    const one = codec();
    const frames = one.encode([], message);
    expect(() => new Codec("other", "hmac-sha256").decode("shell", frames)).toThrow("its signature is wrong");
    one.decode("shell", frames);
    expect(() => one.decode("shell", frames)).toThrow("it is a repetition");
    const open = new Codec("", "hmac-sha256");
    const parts = open.encode([], message);
    expect(() => open.decode("shell", parts.slice(1))).toThrow("it has no delimiter");
    expect(() => open.decode("shell", parts.slice(0, 4))).toThrow("it has 2 of the 4 parts");
    expect(() => open.decode("shell", parts.with(2, Buffer.from("{")))).toThrow("its header is not JSON");
    expect(() => open.decode("shell", parts.with(5, Buffer.from("[]")))).toThrow("its content is not a JSON object");
    expect(() => open.decode("shell", parts.with(2, Buffer.from("{}")))).toThrow("msg_id is not a string");
  });

  it("takes apart anything without any other error", () => {
    const open = new Codec("", "hmac-sha256");
    fc.assert(
      fc.property(frames, (parts) => {
        try {
          open.decode("shell", parts);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000, seed: 3 },
    );
  });
});

const bytes = fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b));
const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
const frames = fc.oneof(
  fc.array(bytes, { maxLength: 9 }),
  fc
    .tuple(fc.array(bytes, { maxLength: 2 }), bytes, fc.array(fc.oneof(json, bytes), { maxLength: 8 }))
    .map(([before, signature, parts]) => [...before, Buffer.from("<IDS|MSG>"), signature, ...parts]),
);

describe("a kernel under a hail of messages", () => {
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

  /** Rightly signed messages with any content. */
  const content = fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.record(
      {
        code: fc.jsonValue().filter((v) => typeof v !== "string"),
        cursor_pos: fc.jsonValue(),
        comm_id: fc.jsonValue(),
        target_name: fc.jsonValue(),
        data: fc.jsonValue(),
        hist_access_type: fc.constantFrom("tail", "range", "search", "x"),
        n: fc.jsonValue(),
        pattern: fc.jsonValue(),
        value: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  );
  const channel = fc.constantFrom("shell" as const, "control" as const, "stdin" as const);

  it("12,000 of them: alive, in its right mind, and no larger", { timeout: 180_000 }, async () => {
    await client.execute("let canary = 1");
    const signed = (type: string, body: Record<string, unknown>) => client.frames(type, body);
    const executes = signed("execute_request", { code: "canary = 2", silent: true });
    const forged = [...executes.slice(0, 1), Buffer.from("0".repeat(64)), ...executes.slice(2)];
    const message = fc.oneof(
      fc.tuple(channel, frames),
      fc
        .tuple(channel, fc.constantFrom(...harmlessTypes), content)
        .map(([c, type, body]) => [c, signed(type, body as never)] as const),
      fc.tuple(channel, fc.nat(5), bytes).map(([c, i, garbage]) => [c, executes.with(i, garbage)] as const),
      channel.map((c) => [c, forged] as const),
    );
    const sample = fc.sample(message, { numRuns: 12_000, seed: 11 });
    const send = async (messages: typeof sample) => {
      for (const [i, [c, parts]] of messages.entries()) {
        await client.raw(c, [...(parts as Buffer[])]);
        // Breath, so that what is measured is the kernel and not the queue before it.
        if (i % 500 === 499) await client.request("kernel_info_request", {});
      }
      await client.request("kernel_info_request", {});
    };
    await send(sample.slice(0, 4000));
    const before = kernel.memoryMb();
    await send(sample.slice(4000));
    expect(kernel.memoryMb() - before).toBeLessThan(48);
    expect(resultText(await client.execute("canary"))).toBe("1");
    expect(await client.heartbeat()).toBe(true);
    expect(kernel.process.exitCode).toBeNull();
    expect(kernel.stderr).toMatch(/dropped a message on shell: its signature is wrong/);
  });

  it("an oversized message loses its sender the connection, not the kernel", async () => {
    const bully = new Client(kernel.connection);
    await bully.raw("shell", [Buffer.alloc((128 << 20) + 1)]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    bully.close();
    expect(resultText(await client.execute("1 + 1"))).toBe("2");
  });

  it("replayed messages run once", async () => {
    await client.execute("let runs = 0");
    const frames = client.frames("execute_request", { code: "runs++", silent: true });
    for (let i = 0; i < 3; i++) await client.raw("shell", [...frames]);
    expect(resultText(await client.execute("runs"))).toBe("1");
  });
});
