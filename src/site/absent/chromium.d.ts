/** What the compiler takes for the optional package @sparticuz/chromium where it was left out: nothing is known of it. */
// biome-ignore-all lint/suspicious/noExplicitAny: nothing is known of it
declare const packed: any;
export default packed;
