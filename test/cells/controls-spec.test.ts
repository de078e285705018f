import { describe, expect, it } from "vitest";
import { modelOf } from "../../src/cells/widgets/models.js";
import { checkSpec, describe as inWords, makers, snap } from "../../src/cells/widgets/spec.js";
import { fc } from "../support/property.js";

const { slider, menu, toggle } = makers;

describe("a slider over a range", () => {
  it("is an integer slider of ipywidgets where everything is whole, a float slider otherwise", () => {
    const whole = modelOf("cores", slider(1, 16, { value: 4, unit: "cores", label: "CPUs" }));
    expect(whole.state).toMatchObject({
      _model_module: "@jupyter-widgets/controls",
      _model_module_version: "2.0.0",
      _model_name: "IntSliderModel",
      _view_name: "IntSliderView",
      description: "CPUs (cores)",
      min: 1,
      max: 16,
      step: 1,
      value: 4,
      readout_format: "d",
    });
    const real = modelOf("share", slider(0, 0.5, { step: 0.125 }));
    expect(real.state).toMatchObject({ _model_name: "FloatSliderModel", step: 0.125, readout_format: ".3f" });
  });

  it("begins at its smallest value, in steps of 1 or of a hundredth", () => {
    expect(slider(3, 9)).toMatchObject({ initial: 3, step: 1 });
    expect(slider(0, 0.5)).toMatchObject({ initial: 0, step: 0.005 });
  });

  it("gives values without the dust of binary fractions, all of them on its steps and within its bounds", () => {
    expect(snap({ min: 0, max: 1, step: 0.1 }, 0.1 + 0.2)).toBe(0.3);
    expect(snap({ min: 1, max: 10, step: 4 }, 10)).toBe(10);
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (min, width, step, value) => {
          const range = { min: min / 10, max: (min + width) / 10, step: Math.min(step, width) / 10 };
          const got = snap(range, value);
          expect(got).toBeGreaterThanOrEqual(range.min);
          expect(got).toBeLessThanOrEqual(range.max);
          if (got !== range.max) {
            const steps = (got - range.min) / range.step;
            expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6);
          }
          expect(snap(range, got)).toBe(got);
        },
      ),
    );
  });

  it.each([
    [() => slider(16, 1), "lab.slider: max must be larger than min; min is 16, max is 1."],
    [() => slider(Number.NaN, 1), "lab.slider: min must be a finite number; it is NaN."],
    [() => slider(1, "16" as never), 'lab.slider: max must be a finite number; it is "16".'],
    [() => slider(1, 16, { step: 0 }), "lab.slider: step must be above 0 and at most 15 (max − min); it is 0."],
    [() => slider(1, 16, { value: 17 }), "lab.slider: value must be from 1 to 16; it is 17."],
    [
      () => slider(0, 16, { step: 4, value: 6.5 }),
      "lab.slider: value must be a whole number of steps of 4 above 0; it is 6.5, the nearest is 8.",
    ],
    [() => slider(1, 16, { unit: 3 as never }), "lab.slider: unit must be a text; it is 3."],
    [
      () => slider(1, 16, { units: "cores" } as never),
      'lab.slider: there is no option "units"; there are value, label, unit, step.',
    ],
  ])("refuses %s", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("a list of values", () => {
  it("is a menu or a slider, which gives the value of an index", () => {
    const model = modelOf("lock", menu(["ticket", "queued"], { value: "queued" }));
    expect(model.state).toMatchObject({
      _model_name: "DropdownModel",
      _options_labels: ["ticket", "queued"],
      index: 1,
    });
    expect([model.decode(0), model.decode(2), model.decode(-1), model.decode("ticket")]).toEqual([
      "ticket",
      undefined,
      undefined,
      undefined,
    ]);
    const sizes = modelOf("page", slider({ "4 KiB": 4096, "2 MiB": 2 ** 21 }));
    expect(sizes.state).toMatchObject({ _model_name: "SelectionSliderModel", _options_labels: ["4 KiB", "2 MiB"] });
    expect(sizes.decode(1)).toBe(2 ** 21);
  });

  it.each([
    [() => menu([]), "lab.menu: there must be at least one value to choose; the list is empty."],
    [() => slider([]), "lab.slider: there must be at least one value to choose; the list is empty."],
    [() => menu(["a", "b", "a"]), 'lab.menu: "a" is in the list twice.'],
    [() => menu(["a", "b"], { value: "c" as never }), 'lab.menu: value must be one of "a", "b"; it is "c".'],
    [() => menu([{}] as never), "lab.menu: value 1 of the list must be a text, a number, true or false; it is {}."],
    [() => menu(3 as never), "lab.menu: the values must be a list, or an object of values by label; they are 3."],
    [() => toggle(1 as never), "lab.toggle: value must be true or false; it is 1."],
  ])("refuses %s", (make, message) => {
    expect(make).toThrow(message);
  });
});

describe("the controls of a drawing", () => {
  it.each([
    [[], "must be an object of controls by name"],
    [{}, "there must be at least one control; the object is empty"],
    [{ cores: 4 }, "cores must be made by lab.slider, lab.menu or lab.toggle; it is 4."],
    [{ cores: null }, "cores must be made by lab.slider, lab.menu or lab.toggle; it is null."],
  ])("are refused where they are %j", (spec, message) => {
    expect(() => checkSpec(spec)).toThrow(message);
  });

  it("are described in words for those who cannot see them", () => {
    expect(inWords("cores", slider(1, 16, { unit: "cores" }), 4)).toBe("cores (cores): 4 (of 1 to 16)");
    expect(inWords("lock", menu({ "FIFO, spinning": "ticket", queue: "queued" }), "queued")).toBe(
      "lock: queue (of FIFO, spinning, queue)",
    );
    expect(inWords("ats", toggle(true, { label: "ATS" }), true)).toBe("ATS: on (of on or off)");
  });
});
