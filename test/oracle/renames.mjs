// What the rebuilding has renamed since the oracle was recorded, said once.

/** A stored configuration as today's experiment takes it. */
export function newConfig(_experiment, config) {
  return config;
}

/** A row of today with the columns that the recorded rows had. */
export function oldRow(_experiment, row) {
  return row;
}
