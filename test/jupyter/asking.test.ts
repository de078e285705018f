import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";
import { run } from "./support.js";

let kernel: Kernel;
const asked: string[] = [];
let answers: string[] = [];
beforeAll(async () => {
  kernel = await startInProcessKernel({
    onInput: async (prompt) => {
      asked.push(prompt);
      return answers.shift() ?? "";
    },
  });
});
afterAll(() => kernel.shutdown());

/** Runs a cell whose questions are answered in turn. */
async function answered(code: string, ...given: string[]) {
  answers = given;
  asked.length = 0;
  return run(kernel, code);
}

it("prompt, confirm and alert ask while everything waits", async () => {
  expect((await answered('[prompt("name?"), prompt("town?", "Ulm"), confirm("sure?")]', "Ada", "", "y")).result).toBe(
    "[ 'Ada', 'Ulm', true ]",
  );
  expect(asked).toEqual(["name? ", "town? [Ulm] ", "sure? [y/N] "]);
  expect((await answered('alert("look"); confirm()', "", "no")).result).toBe("false");
});

it("a question that waits can be interrupted, and the next one is answered", async () => {
  const never = await startInProcessKernel({ onInput: () => new Promise(() => {}) });
  try {
    expect((await run(never, 'prompt("for ever")', { timeout: 500 })).ename).toBe("KeyboardInterrupt");
    expect((await run(never, "'next'")).result).toBe("'next'");
  } finally {
    await never.shutdown();
  }
});

it("readline asks as on a terminal", async () => {
  const code = `
    import * as readline from "node:readline/promises";
    const rl = readline.createInterface({ input: process.stdin, output: process.stdout });
    const name = await rl.question("Name: ");
    const age = await rl.question("Age: ");
    rl.close();
    [name, age]`;
  expect((await answered(code, "Ada", "36")).result).toBe("[ 'Ada', '36' ]");
  expect(asked).toEqual(["Name: ", "Age: "]);
});

it("readline with callbacks, and lines of standard input, are answered too", async () => {
  const callbacks = `
    import { createInterface } from "node:readline";
    const io = createInterface({ input: process.stdin, output: process.stdout });
    await new Promise<string>((resolve) => io.question("Colour? ", (text) => { io.close(); resolve(text); }))`;
  expect((await answered(callbacks, "red")).result).toBe("'red'");
  const lines = `
    let text = "";
    for await (const chunk of process.stdin) { text += chunk; if (text.includes("end")) break; }
    text`;
  expect((await answered(lines, "one", "end")).result).toBe("'one\\nend\\n'");
});

it("where nobody is there to ask, that is an error", async () => {
  for (const code of ['prompt("x")', 'await lab.prompt("x")'])
    expect((await run(kernel, code, { allowStdin: false })).evalue).toMatch(/executed without anyone to ask/);
});

it("_ is the latest result, and Out has them by the cells' numbers", async () => {
  const { executionCount } = await run(kernel, "6 * 7");
  expect((await run(kernel, "_ + 1")).result).toBe("43");
  expect((await run(kernel, `[_, Out[${executionCount}]]`)).result).toBe("[ 43, 42 ]");
  await run(kernel, "undefined");
  await run(kernel, "'silent'", { silent: true });
  expect((await run(kernel, "_")).result).toBe("[ 43, 42 ]");
  expect((await run(kernel, "const _ = 'mine'; _")).result).toBe("'mine'");
});

it("a command of another kernel gets a sentence", async () => {
  const { ename, evalue } = await run(kernel, "%time 1");
  expect([ename, evalue]).toEqual(["NotTypeScript", expect.stringMatching(/console\.time/)]);
});
