import { expect, test, vi } from "vitest";
import { main } from "../../src/cli/index.js";

/** What a command line prints, and how it ends. */
async function said(...words: string[]): Promise<{ status: number; text: string }> {
  const pieces: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((piece) => pieces.push(String(piece)) > 0);
  const complain = vi.spyOn(process.stderr, "write").mockImplementation((piece) => pieces.push(String(piece)) > 0);
  try {
    return { status: await main(words), text: pieces.join("") };
  } finally {
    write.mockRestore();
    complain.mockRestore();
  }
}

test("each command that the help names has a help of its own, though no other is loaded beside it", async () => {
  const { status, text } = await said("--help");
  expect(status).toBe(0);
  const names = [...text.slice(text.indexOf("Commands:")).matchAll(/^ {2}([a-z][a-z-]+)/gm)].map(([, name]) => name);
  expect(names).toContain("reproduce");
  expect(names).toContain("experiments");
  for (const name of names.filter((one) => one !== "help")) {
    const own = await said(name, "--help");
    expect(own.status, name).toBe(0);
    expect(own.text).toMatch(new RegExp(`^Usage: iommu-lab ${name}\\b`));
    expect(own.text).toBe((await said("help", name)).text);
  }
});

test("what is no command is refused with the nearest that is one", async () => {
  const { status, text } = await said("clams");
  expect(status).toBe(2);
  expect(text).toContain("Did you mean claims?");
});
