export function importsOf(file: string, text: string): string[];
export function distance(
  file: string,
  goals: ReadonlySet<string>,
  imports: (file: string) => readonly string[],
): number | undefined;
export function withinTime(
  tests: readonly { file: string; steps: number }[],
  seconds: ReadonlyMap<string, number>,
  most?: number,
): { taken: string[]; others: string[] };
export function affected(revision?: string): { since: string; sources: string[]; tests: string[]; left: string[] };
