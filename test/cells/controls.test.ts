import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kernel, KernelMessage } from "../../src/jupyter/index.js";
import { run, startKernel } from "../jupyter/support.js";

type Json = Record<string, unknown>;
const viewType = "application/vnd.jupyter.widget-view+json";

/** What a front end with widgets keeps: the models' states, the displays' contents, every message. */
class FrontEnd {
  readonly messages: KernelMessage[] = [];
  readonly models = new Map<string, Json>();
  readonly displays = new Map<string, Json>();
  private readonly waiting = new Set<() => void>();

  constructor(private readonly kernel: Kernel) {
    kernel.subscribe((message) => {
      const { type, content } = message;
      this.messages.push(message);
      const data = (content["data"] ?? {}) as Json;
      const id = String(content["comm_id"]);
      if (type === "comm_open") this.models.set(id, { ...(data["state"] as Json) });
      if (type === "comm_msg" && data["method"] === "update") Object.assign(this.models.get(id) ?? {}, data["state"]);
      if (type === "comm_close") this.models.delete(id);
      if (type === "display_data" || type === "update_display_data")
        this.displays.set(String((content["transient"] as Json)["display_id"]), data);
      for (const check of this.waiting) check();
    });
  }

  /** Resolves when something holds. */
  until(what: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(check);
        reject(new Error(`never came: ${what}; displays ${JSON.stringify([...this.displays.values()])}`));
      }, 20_000);
      const check = () => {
        if (!what()) return;
        clearTimeout(timer);
        this.waiting.delete(check);
        resolve();
      };
      this.waiting.add(check);
      check();
    });
  }

  /** The model with a description, the newest first. */
  named(description: string): string {
    const found = [...this.models].filter(([, state]) => state["description"] === description).at(-1);
    if (!found) throw new Error(`no control "${description}"`);
    return found[0];
  }

  status(): string {
    const found = [...this.models.values()].filter((state) => state["_model_name"] === "HTMLModel").at(-1);
    return String(found?.["value"]);
  }

  send(comm_id: string, data: Json): void {
    void this.kernel.request("comm_msg", { comm_id, data });
  }

  move(description: string, state: Json): void {
    this.send(this.named(description), { method: "update", state, buffer_paths: [] });
  }

  /** The text of the newest display that is no view. */
  shown(): string {
    const contents = [...this.displays.values()].filter((data) => !(viewType in data));
    return String(contents.at(-1)?.["text/plain"]);
  }
}

let kernel: Kernel;
let page: FrontEnd;
beforeAll(async () => {
  kernel = await startKernel();
  page = new FrontEnd(kernel);
});
afterAll(() => kernel.shutdown());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("controls", () => {
  it("are models of ipywidgets with a view, and the first drawing below it", async () => {
    const { status, messages, result } = await run(
      kernel,
      'lab.controls({ cores: lab.slider(1, 16), lock: lab.menu(["ticket", "queued"]), ats: lab.toggle() }, (values) => values)',
    );
    expect([status, result]).toEqual(["ok", undefined]);
    const opened = messages.filter(({ type }) => type === "comm_open");
    expect(opened.every(({ content }) => content["target_name"] === "jupyter.widget")).toBe(true);
    expect(opened.every(({ metadata }) => metadata["version"] === "2.1.0")).toBe(true);
    const [view, drawing] = messages.filter(({ type }) => type === "display_data");
    const data = view.content["data"] as Json;
    expect(data["text/plain"]).toBe(
      "Controls (they can be moved in JupyterLab): cores: 1 (of 1 to 16); lock: ticket (of ticket, queued); ats: off (of on or off)",
    );
    const column = page.models.get(String((data[viewType] as Json)["model_id"]))!;
    expect(column["_model_name"]).toBe("VBoxModel");
    const children = (column["children"] as string[]).map((child) => page.models.get(child.replace("IPY_MODEL_", "")));
    expect(children.map((child) => child?.["_model_name"])).toEqual([
      "IntSliderModel",
      "DropdownModel",
      "CheckboxModel",
      "HTMLModel",
      "OutputModel",
    ]);
    // Every model that another one refers to is there before it.
    const seen: string[] = [];
    for (const { content } of opened) {
      const named = JSON.stringify(content["data"]).matchAll(/IPY_MODEL_([\w-]+)/g);
      for (const [, id] of named) expect(seen).toContain(id);
      seen.push(String(content["comm_id"]));
    }
    expect((drawing.content["data"] as Json)["text/plain"]).toBe("{ cores: 1, lock: 'ticket', ats: false }");
    expect(drawing.content["metadata"]).toEqual({});
  });

  it("draw again in the same place when one moves, and tell every page of the new value", async () => {
    const before = page.displays.size;
    const from = page.messages.length;
    page.move("cores", { value: 5 });
    await page.until(() => page.shown() === "{ cores: 5, lock: 'ticket', ats: false }");
    page.move("lock", { index: 1 });
    page.move("ats", { value: true });
    await page.until(() => page.shown() === "{ cores: 5, lock: 'queued', ats: true }");
    expect(page.displays.size).toBe(before);
    const since = page.messages.slice(from);
    const echo = since.find(({ content }) => (content["data"] as Json)?.["method"] === "echo_update");
    expect(echo?.content["data"]).toEqual({ method: "echo_update", state: { value: 5 }, buffer_paths: [] });
    // The answer names the movement as its parent: by that a page knows that it was heard.
    expect(since.find(({ type }) => type === "status")?.parentId).toBe(echo?.parentId);
    await page.until(() => /Drawn in \d/.test(page.status()));
  });

  it("correct what is not theirs, and take no notice of what they do not know", async () => {
    const id = page.named("cores");
    page.move("cores", { value: 99 });
    await page.until(() => page.shown().includes("cores: 16"));
    expect(page.models.get(id)?.["value"]).toBe(16);
    const from = page.messages.length;
    page.move("cores", { value: "many" });
    page.move("cores", { nonsense: 1 });
    page.move("lock", { index: 7 });
    page.send(id, { method: "no such method" });
    page.send(id, 5 as never);
    page.move("ats", { value: false });
    await page.until(() => page.shown() === "{ cores: 16, lock: 'queued', ats: false }");
    expect(page.models.get(id)?.["value"]).toBe(16);
    expect(page.models.get(page.named("lock"))?.["index"]).toBe(1);
    const drawings = page.messages.slice(from).filter(({ type }) => type === "update_display_data");
    expect(drawings.length).toBe(1);
  });

  it("let only the last of many movements count, and tell the drawing under way to stop", async () => {
    await run(
      kernel,
      `let draws: number[] = []; let stopped = 0;
       await lab.controls({ x: lab.slider(0, 100) }, async ({ x }, { signal }) => {
         draws.push(x);
         if (x === 1) {
           // Stays until it is told to stop, and takes its time over that: most movements come meanwhile.
           while (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 10));
           await new Promise((resolve) => setTimeout(resolve, 1000));
           stopped++;
           signal.throwIfAborted();
         }
         return "x is " + x;
       });`,
    );
    page.move("x", { value: 1 });
    await page.until(() => page.status().includes("Drawing"));
    for (let value = 2; value <= 100; value++) page.move("x", { value });
    await page.until(() => page.shown() === "'x is 100'");
    const drawn = await run(kernel, "[draws.length, draws.at(-1), stopped > 0]");
    const [count, last, stopped] = JSON.parse(String(drawn.result)) as [number, number, boolean];
    expect([last, stopped]).toEqual([100, true]);
    expect(count).toBeLessThan(90);
    // Nothing is left to draw.
    await pause(300);
    expect((await run(kernel, "draws.length")).result).toBe(String(count));
  });

  it("show an error once, in the figure's place, and live on", async () => {
    await run(
      kernel,
      `await lab.controls({ y: lab.slider(0, 9) }, ({ y }) => { if (y === 3) throw new RangeError("three <is> bad"); return y === 4 ? undefined : y });`,
    );
    page.move("y", { value: 3 });
    await page.until(() => page.shown().includes("three <is> bad"));
    expect(page.shown()).toMatch(/^RangeError: three <is> bad\n {4}at .*cell \[\d+\]:1:\d+/);
    expect(page.shown()).toContain("y: 3 (of 0 to 9)");
    const html = String([...page.displays.values()].at(-1)?.["text/html"]);
    expect(html).toContain("three &lt;is&gt; bad");
    expect(page.messages.some(({ type }) => type === "error")).toBe(false);
    page.move("y", { value: 4 });
    await page.until(() => page.shown().includes("the drawing function returned nothing"));
    page.move("y", { value: 5 });
    await page.until(() => page.shown() === "5");
  });

  it("whose first drawing fails fail their cell, and go away", async () => {
    const from = page.messages.length;
    const { ename, evalue } = await run(
      kernel,
      'await lab.controls({ z: lab.slider(0, 9) }, () => { throw new RangeError("no") });',
    );
    expect([ename, evalue]).toEqual(["RangeError", "no"]);
    const since = page.messages.slice(from);
    expect(since.filter(({ type }) => type === "comm_close").length).toBe(
      since.filter(({ type }) => type === "comm_open").length,
    );
    expect((await run(kernel, "lab.controls({ z: lab.slider(0, 9) }, 3)")).evalue).toMatch(/^TS2345/);
    expect((await run(kernel, "lab.controls({ z: lab.slider(9, 0) }, () => 1)")).evalue).toBe(
      "lab.slider: max must be larger than min; min is 9, max is 0.",
    );
  });

  it("can be interrupted in an endless loop, in an endless wait and between two points; then they draw again", async () => {
    await run(
      kernel,
      `let ticks = 0;
       await lab.controls({ how: lab.menu(["fine", "loop", "wait", "timers", "fine again"]) }, async ({ how }) => {
         if (how === "loop") while (true) {}
         if (how === "wait") await new Promise(() => {});
         while (how === "timers") { ticks++; await new Promise((resolve) => setTimeout(resolve, 1)); }
         return how;
       });`,
    );
    for (const index of [1, 2, 3]) {
      page.move("how", { index });
      await page.until(() => page.status().includes("Drawing"));
      await pause(50);
      await kernel.interrupt();
      await page.until(() => page.status().includes("Interrupted"));
      // The figure stays as it was, until a control moves.
      expect(page.shown()).toBe(index === 1 ? "'fine'" : "'fine again'");
      page.move("how", { index: 4 });
      await page.until(() => page.shown() === "'fine again'" && page.status().includes("Drawn"));
    }
    const { result } = await run(kernel, "ticks > 0");
    expect(result).toBe("true");
    const before = (await run(kernel, "ticks")).result;
    await pause(50);
    expect((await run(kernel, "ticks")).result).toBe(before);
  });

  it("that move while a cell runs wait for its end, and are heard at once", async () => {
    await run(kernel, "await lab.controls({ w: lab.slider(0, 9) }, ({ w }) => 'w is ' + w)");
    await run(kernel, 'const gate = { open: () => {} }; lab.comm.registerTarget("go", () => gate.open())');
    const cell = run(kernel, 'console.log("waits"); await new Promise<void>((resolve) => { gate.open = resolve; })');
    await page.until(() => page.messages.at(-1)?.content["text"] === "waits\n");
    const from = page.messages.length;
    page.move("w", { value: 7 });
    await page.until(() => page.status().includes("Waiting for the running cell"));
    expect(page.shown()).toBe("'w is 0'");
    void kernel.request("comm_open", { comm_id: "go", target_name: "go", data: {} });
    const { messages } = await cell;
    await page.until(() => page.shown() === "'w is 7'");
    expect(messages.map(({ type }) => type)).not.toContain("comm_msg");
    expect(
      page.messages.slice(from).some(({ content }) => (content["data"] as Json)?.["method"] === "echo_update"),
    ).toBe(true);
  });

  it("give a page that is loaded again every state, and the drawing by a way that it knows", async () => {
    await run(kernel, "await lab.controls({ v: lab.slider(0, 9) }, ({ v }) => 'v is ' + v)");
    page.move("v", { value: 2 });
    await page.until(() => page.shown() === "'v is 2'");
    const from = page.messages.length;
    void kernel.request("comm_open", { comm_id: "again", target_name: "jupyter.widget.control", data: {} });
    page.send("again", { method: "request_states" });
    const answer = () =>
      page.messages
        .slice(from)
        .map(({ content }) => content)
        .find((content) => content["comm_id"] === "again" && content["data"])?.["data"] as Json | undefined;
    await page.until(() => answer() !== undefined);
    const { method, states } = answer() as { method: string; states: Record<string, Json> };
    expect(method).toBe("update_states");
    const info = (await kernel.request("comm_info_request", { target_name: "jupyter.widget" })).content[
      "comms"
    ] as Json;
    expect(Object.keys(states).sort()).toEqual(Object.keys(info).sort());
    const slider = states[page.named("v")];
    expect(slider).toMatchObject({
      model_name: "IntSliderModel",
      model_module: "@jupyter-widgets/controls",
      model_module_version: "2.0.0",
    });
    expect(slider["state"]).toMatchObject({ value: 2, _view_name: "IntSliderView" });
    const outputs = () => {
      const model = [...page.models.values()].filter((state) => state["_model_name"] === "OutputModel").at(-1);
      return JSON.stringify(model?.["outputs"]);
    };
    expect(outputs()).toContain("v is 2");
    page.move("v", { value: 3 });
    await page.until(() => outputs().includes("v is 3"));
    // Model by model, as a front end asks that had no answer from the control comm.
    page.send(page.named("v"), { method: "request_state" });
    await page.until(() =>
      page.messages.some(({ content }) => {
        const data = content["data"] as Json | undefined;
        return data?.["method"] === "update" && (data["state"] as Json)["_view_name"] === "IntSliderView";
      }),
    );
  });

  it("that a front end without widgets closes leave the figure, and the kernel as it was", async () => {
    const cell = kernel.execute(
      "await lab.controls({ u: lab.slider(0, 9) }, ({ u }) => 'u is ' + u); lab.display('after')",
    );
    const outputs: string[] = [];
    for await (const { type, content } of cell) {
      if (type === "comm_open") {
        page.models.delete(String(content["comm_id"]));
        void kernel.request("comm_close", { comm_id: content["comm_id"], data: {} });
      }
      if (type === "display_data") outputs.push(String((content["data"] as Json)["text/plain"]));
    }
    expect((await cell.reply).status).toBe("ok");
    expect(outputs.slice(1)).toEqual(["'u is 0'", "'after'"]);
    expect((await run(kernel, "6 * 7")).result).toBe("42");
  });

  it("are closed in every page when the process that drew is lost", async () => {
    await run(kernel, "await lab.controls({ t: lab.slider(0, 9) }, ({ t }) => t)");
    expect(page.models.size).toBeGreaterThan(0);
    await run(kernel, 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})');
    await page.until(() => page.models.size === 0);
    expect((await kernel.request("comm_info_request", {})).content["comms"]).toEqual({});
    expect((await run(kernel, "await lab.controls({ t: lab.slider(0, 9) }, ({ t }) => t)")).status).toBe("ok");
  });
});
