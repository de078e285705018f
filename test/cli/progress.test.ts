import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress } from "../../src/cli/progress.js";

describe("how far a run is", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const lines = (
    isTTY: boolean,
  ): { out: { isTTY: boolean; columns: number; write(text: string): boolean }; got: string[] } => {
    const got: string[] = [];
    return { out: { isTTY, columns: 60, write: (text) => got.push(text) > 0 }, got };
  };

  it("goes on while one point takes long, a line every five seconds, and ends", () => {
    const { out, got } = lines(false);
    const progress = new Progress(out);
    progress.tell(0, 3, "5.15");
    expect(got).toEqual([]);
    vi.advanceTimersByTime(13_000);
    expect(got).toEqual(["0 of 3 points, 5 s · 5.15\n", "0 of 3 points, 10 s · 5.15\n"]);
    progress.tell(1, 3, "5.15");
    vi.advanceTimersByTime(2000);
    expect(got.at(-1)).toBe("1 of 3 points, 15 s, about 30 s left · 5.15\n");
    progress.end();
    vi.advanceTimersByTime(60_000);
    expect(got).toHaveLength(3);
  });

  it("says nothing more once all is done, while another part of a command counts", () => {
    const { out, got } = lines(false);
    const progress = new Progress(out, "MB");
    progress.tell(299, 299, "");
    vi.advanceTimersByTime(60_000);
    expect(got).toEqual([]);
  });

  it("stays silent for two seconds, then counts them in place on a terminal", () => {
    const { out, got } = lines(true);
    const progress = new Progress(out, "figures");
    progress.tell(0, 2, "");
    vi.advanceTimersByTime(3000);
    expect(got).toEqual(["\r\x1b[K0 of 2 figures, 2 s", "\r\x1b[K0 of 2 figures, 3 s"]);
    progress.end();
    expect(got.at(-1)).toBe("\r\x1b[K");
  });
});
