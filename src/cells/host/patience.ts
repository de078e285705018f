/** What a cell waits through: after an interrupt it waits for ever, so that nothing of it goes on when what it waited for comes. */

/** The waiting of one run of a cell. */
export interface Patience {
  /** A promise for a value, as long as the run is not stopped. */
  live(value: unknown): Promise<unknown>;
  /** The steps of a `for await`, likewise. */
  lives(iterable: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterable<unknown>;
  /** From now on nothing comes. */
  stop(): void;
}

/** The waiting of a run that begins. */
export function createPatience(): Patience {
  let stopped = false;
  const never = () => new Promise<never>(() => {});
  const pass = (value: unknown) => (stopped ? never() : value);
  const fail = (error: unknown) => {
    if (stopped) return never();
    throw error;
  };
  const live = (value: unknown) => Promise.resolve(value).then(pass, fail);
  /** The step of an iterator that is not asynchronous, whose value may be a promise. */
  const waited = async ({ done, value }: IteratorResult<unknown>) => ({ done, value: await value });
  return {
    live,
    lives: (iterable) => ({
      [Symbol.asyncIterator]() {
        const { [Symbol.asyncIterator]: steps } = iterable as Partial<AsyncIterable<unknown>>;
        const iterator = steps ? steps.call(iterable) : (iterable as Iterable<unknown>)[Symbol.iterator]();
        const step = async (result: unknown) =>
          (steps ? await result : waited(result as IteratorResult<unknown>)) as IteratorResult<unknown>;
        return {
          next: () => live(step(iterator.next())) as Promise<IteratorResult<unknown>>,
          ...(iterator.return
            ? { return: () => live(step(iterator.return?.())) as Promise<IteratorResult<unknown>> }
            : {}),
        };
      },
    }),
    stop() {
      stopped = true;
    },
  };
}
