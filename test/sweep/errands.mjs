// A thread's work for the tests of threads: it says which thread it is, after waiting, failing or ending as it is told.
import { threadId } from "node:worker_threads";
import { serve } from "../../dist/sweep/serve.js";

const idle = process.env["ERRANDS_IDLE_MS"];

serve(
  ({ ms = 0, fail, exit, fill, answer }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    if (fail) throw new RangeError(fail);
    if (exit !== undefined) process.exit(exit);
    if (fill) for (const all = []; ; ) all.push(Array.from({ length: 1e5 }, (_, i) => ({ i })));
    return answer ?? threadId;
  },
  idle === undefined ? undefined : Number(idle),
);
