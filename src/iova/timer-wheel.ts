/**
 * When Linux's timers fire (kernel/time/timer.c since v4.8, as read in 6.18): a timer of few ticks is exact to the tick, a longer one is put into a
 * slot of the wheel's next level, which is coarser by 8. So 100 ms at 1000 ticks a second fire after 101 to 108 ms.
 */

/** Ticks of a delay in milliseconds, rounded up (msecs_to_jiffies). */
export function delayTicks(ms: number, hz: number): number {
  return Math.ceil((ms * hz) / 1000);
}

/** A timer of this many ticks or more goes to the next level; each further level reaches 8 times as far. */
const levelTicks = 63;

/**
 * The tick at which a timer fires that is armed at tick `now`, `delay` ticks ahead.
 * @param wheel false for the exact tick, as if the wheel were not there
 * @example firingTick(0, 100, true) // 104
 */
export function firingTick(now: number, delay: number, wheel: boolean): number {
  const expires = now + delay;
  if (!wheel) return expires;
  let step = 1;
  for (let reach = levelTicks; delay >= reach; reach *= 8) step *= 8;
  return (Math.floor(expires / step) + 1) * step;
}
