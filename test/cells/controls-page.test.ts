import { describe, expect, it } from "vitest";
import type { Comm, Comms } from "../../src/cells/display/comms.js";
import { type ControlsHost, createControls } from "../../src/cells/widgets/controls.js";
import { makers } from "../../src/cells/widgets/spec.js";

type Json = Record<string, unknown>;
const plotly = "application/vnd.plotly.v1+json";

/** A page whose cells have names, and the controls of its kernel. */
function page() {
  const open = new Map<string, { comm: Comm; state: Json }>();
  const targets = new Map<string, (comm: Comm, data: unknown, buffers: Uint8Array[]) => void>();
  const displays: { data: Json; displayId: string; update: boolean; metadata: Json }[] = [];
  const answers: Json[] = [];
  let ids = 0;
  let cellId: string | undefined;
  const comms: Comms = {
    open(targetName, data) {
      const id = `m${++ids}`;
      const state = { ...((data as Json)["state"] as Json) };
      const comm: Comm = {
        id,
        targetName,
        send: (message) => void Object.assign(state, (message as Json)["state"]),
        close: () => void open.delete(id),
        onMessage: undefined,
        onClose: undefined,
      };
      open.set(id, { comm, state });
      return comm;
    },
    registerTarget: (name, onOpen) => void targets.set(name, onOpen),
    unregisterTarget: () => {},
  };
  const host: ControlsHost = {
    comms,
    display: (data, options) => void displays.push({ data, metadata: {}, ...options }),
    newId: () => `d${++ids}`,
    signal: () => new AbortController().signal,
    busy: () => false,
    whenIdle: (work) => {
      queueMicrotask(work);
      return () => {};
    },
    cellId: () => cellId,
    explain: String,
  };
  const controls = createControls(host);
  return {
    open,
    displays,
    answers,
    show: controls.show,
    /** Runs a cell by its name. */
    async cell(name: string | undefined, run: () => Promise<void>) {
      cellId = name;
      controls.beginCell(name);
      await run();
    },
    /** Loads the page again: it asks for every state. */
    reload() {
      const comm = { send: (data: unknown) => void answers.push(data as Json) } as Comm;
      targets.get("jupyter.widget.control")?.(comm, {}, []);
      comm.onMessage?.({ method: "request_states" }, []);
    },
    models: (name: string) => [...open.values()].filter(({ state }) => state["_model_name"] === name),
  };
}

const figure = (x: number) => ({
  [Symbol.for("Jupyter.display")]: () => ({ [plotly]: { data: [{ y: [x] }] }, "text/plain": `x ${x}` }),
});

describe("on a page that names its cells", () => {
  it("a cell that runs again closes its former controls, and those of no other cell", async () => {
    const { cell, show, models } = page();
    const shown = () => show({ x: makers.slider(0, 9) }, ({ x }) => figure(x));
    await cell("a", shown);
    await cell("b", shown);
    const [first, second] = models("IntSliderModel");
    await cell("a", shown);
    const now = models("IntSliderModel");
    expect(now.length).toBe(2);
    expect(now).not.toContain(first);
    expect(now).toContain(second);
  });

  it("every figure has a name of its own, which the same cell gives it again", async () => {
    const { cell, show, displays } = page();
    const two = async () => {
      await show({ x: makers.slider(0, 9) }, ({ x }) => figure(x));
      await show({ x: makers.slider(0, 9) }, ({ x }) => figure(x));
    };
    await cell("a", two);
    await cell("a", two);
    const named = displays.filter(({ data }) => plotly in data).map(({ metadata }) => metadata["iommu-lab"]);
    expect(named).toEqual([{ figure: "a/0" }, { figure: "a/1" }, { figure: "a/0" }, { figure: "a/1" }]);
  });

  it("after a reload the figure is mirrored under its name, out of sight; what is no figure is shown", async () => {
    const { cell, show, models, open, reload, answers } = page();
    await cell("a", () => show({ x: makers.slider(0, 9) }, ({ x }) => (x === 5 ? "five" : figure(x))));
    const [{ state: output }] = models("OutputModel");
    const layout = () => open.get(String(output["layout"]).replace("IPY_MODEL_", ""))?.state["display"];
    expect(output["outputs"]).toEqual([]);
    reload();
    expect(output["outputs"]).toMatchObject([
      { output_type: "display_data", metadata: { "iommu-lab": { figure: "a/0", mirror: true } } },
    ]);
    expect(layout()).toBe("none");
    expect(Object.keys(answers[0]["states"] as Json).sort()).toEqual([...open.keys()].sort());
    models("IntSliderModel")[0].comm.onMessage?.({ method: "update", state: { value: 5 } }, []);
    await expect.poll(() => JSON.stringify(output["outputs"])).toContain("five");
    expect(layout()).toBeNull();
  });

  it("a page that does not name its cells gives no names, so that nothing of chance is stored", async () => {
    const { cell, show, displays, models } = page();
    await cell(undefined, () => show({ x: makers.slider(0, 9) }, ({ x }) => figure(x)));
    await cell(undefined, () => show({ x: makers.slider(0, 9) }, ({ x }) => figure(x)));
    expect(displays.map(({ metadata }) => metadata)).toEqual([{}, {}, {}, {}]);
    expect(models("IntSliderModel").length).toBe(2);
  });

  it("the oldest controls are closed where there are more than fifty", async () => {
    const { cell, show, models } = page();
    for (let i = 0; i < 52; i++)
      await cell(undefined, () => show({ x: makers.slider(0, 9 + i) }, ({ x }) => figure(x)));
    expect(models("IntSliderModel").map(({ state }) => state["max"])).toEqual(
      Array.from({ length: 50 }, (_, i) => 11 + i),
    );
  });
});
