export interface Interval {
  mean: number;
  half: number;
  n: number;
}
export function interval(values: readonly number[]): Interval;
export function ratioOf(pairs: readonly (readonly [number, number])[]): {
  ratio: number;
  low: number;
  high: number;
  n: number;
};
export function repeat<T>(
  measure: (round: number) => T | Promise<T>,
  widthOf: (values: T[]) => number,
  options?: { narrow?: number; least?: number; most?: number },
): Promise<{ values: T[]; enough: boolean }>;
export function busyCores(ms?: number): Promise<number>;
export interface MachineState {
  busy: number;
  load: number;
  cores: number;
  tooBusy: boolean;
  text: string;
}
export function look(): Promise<MachineState>;
export function said(busy: number, load: number, cores: number): MachineState;
export function remember(line: object): void;
