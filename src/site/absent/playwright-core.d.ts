/** What the compiler takes for the optional package playwright-core where it was left out: nothing is known of it. */
// biome-ignore-all lint/suspicious/noExplicitAny: nothing is known of it
export type Browser = any;
export type Page = any;
export const chromium: any;
