/**
 * Shows how far a run is on stderr, once it has taken two seconds: in place on a terminal, a line every five seconds elsewhere.
 * It goes on by itself while one point takes long, so that nobody takes a run for hung; {@link end} stops it.
 */
export class Progress {
  private readonly began = performance.now();
  private shown = 0;
  private last: readonly [done: number, total: number, label: string] | undefined;
  private readonly beat: NodeJS.Timeout;

  constructor(
    private readonly out: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write"> = process.stderr,
    private readonly unit = "points",
  ) {
    this.beat = setInterval(() => {
      // What is done has nothing to wait for: another part of the command may count by now.
      if (this.last && this.last[0] < this.last[1]) this.show(...this.last);
    }, 1000);
    this.beat.unref();
  }

  /** As an experiment's progress listener. */
  readonly tell = (done: number, total: number, label: string): void => {
    this.last = [done, total, label];
    this.show(done, total, label);
  };

  private show(done: number, total: number, label: string): void {
    const elapsed = performance.now() - this.began;
    if (elapsed < 2000 || (!this.out.isTTY && performance.now() - this.shown < 5000)) return;
    this.shown = performance.now();
    const left = done > 0 ? `, about ${seconds((elapsed / done) * (total - done))} left` : "";
    const text = `${done} of ${total} ${this.unit}, ${seconds(elapsed)}${left}${label === "" ? "" : ` · ${label}`}`;
    this.out.write(this.out.isTTY ? `\r\x1b[K${text.slice(0, (this.out.columns || 80) - 1)}` : `${text}\n`);
  }

  /** Clears the line, and says nothing more. */
  end(): void {
    clearInterval(this.beat);
    if (this.shown > 0 && this.out.isTTY) this.out.write("\r\x1b[K");
  }
}

function seconds(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
