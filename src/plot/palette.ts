/**
 * What has which colour, in every figure: a way of mapping has one, the kinds of time have a set of their own, page sizes a third, hosts a
 * fourth, locks a fifth. No two things of a set look alike, also for readers with protanopia, deuteranopia and
 * tritanopia; no colour of one set is that of another. test/plot holds both.
 */

/** How a thing is drawn: its colour, and the marks that tell apart what shares a colour. */
export interface Look {
  /** "#rrggbb", with a contrast of 3:1 or more to a white and to a dark page. */
  colour: string;
  /** Plotly's name of the marker; a filled circle where there is none. */
  symbol?: string;
  /** Plotly's name of the line's dashes; solid where there is none. */
  dash?: "dash" | "dot" | "dashdot";
}

/**
 * The colours of what has none of its own, near those of Okabe and Ito (2008). Each has a contrast of at least 3:1 to white and to a dark
 * page, and every two differ for readers with protanopia, deuteranopia and tritanopia (Machado et al. 2009); test/plot holds both.
 */
export const palette: readonly string[] = [
  "#006cbc",
  "#d87f0d",
  "#09a864",
  "#c17fb1",
  "#d53100",
  "#3797e1",
  "#8d7f2d",
  "#7f7f7f",
];

const [blue, orange, green, pink, red, sky, olive, grey] = palette;

/**
 * Ways of mapping. The tree of Linux v4.3 has a colour for each of its policies, every other allocator has one colour; a broken line is the
 * stricter policy of that allocator, a dotted one the policy as the thread words it.
 */
const ways = {
  off: { colour: grey },
  "pass-through": { colour: olive, symbol: "x" },
  "static-identity": { colour: sky, symbol: "cross" },
  strict: { colour: red, symbol: "square" },
  deferred: { colour: blue },
  "thread-strict": { colour: red, symbol: "square-open", dash: "dot" },
  "thread-deferred": { colour: blue, symbol: "circle-open", dash: "dot" },
  "merged-deferred": { colour: green, symbol: "diamond" },
  "merged-strict": { colour: green, symbol: "square", dash: "dash" },
  "merged-thread-deferred": { colour: green, symbol: "diamond-open", dash: "dot" },
  "merged-thread-strict": { colour: green, symbol: "square-open", dash: "dashdot" },
  "magazines-deferred": { colour: pink, symbol: "triangle-up" },
  "magazines-strict": { colour: pink, symbol: "square", dash: "dash" },
  "pools-1": { colour: orange, symbol: "star", dash: "dash" },
  "pools-2": { colour: orange, symbol: "triangle-down", dash: "dash" },
  "pools-4": { colour: orange, symbol: "square", dash: "dash" },
  "pools-8": { colour: orange, symbol: "pentagon", dash: "dash" },
  "pools-16": { colour: orange, symbol: "hexagon", dash: "dash" },
  "pools-1-lazy": { colour: orange, symbol: "star-open" },
  "pools-2-lazy": { colour: orange, symbol: "triangle-down-open" },
  "pools-4-lazy": { colour: orange, symbol: "square-open" },
  "pools-8-lazy": { colour: orange, symbol: "pentagon-open" },
  "pools-16-lazy": { colour: orange, symbol: "hexagon-open" },
  "strict-ish": { colour: pink, symbol: "triangle-up-open", dash: "dot" },
  "flush-pages": { colour: pink, symbol: "diamond", dash: "dashdot" },
  "flush-ranges": { colour: pink, symbol: "pentagon", dash: "dashdot" },
  "flush-threshold": { colour: pink, symbol: "hexagon", dash: "dashdot" },
  "flush-domain": { colour: pink, symbol: "star", dash: "dashdot" },
  "flush-everything": { colour: pink, symbol: "circle", dash: "dashdot" },
  "strict-domain": { colour: pink, symbol: "star-open", dash: "dash" },
  "one-to-one-strict": { colour: sky, symbol: "square", dash: "dash" },
  "one-to-one-never": { colour: sky, symbol: "triangle-down", dash: "dash" },
  "one-to-one-covering": { colour: sky, symbol: "pentagon", dash: "dash" },
  "one-to-one-swept": { colour: sky, symbol: "hexagon", dash: "dash" },
  "one-to-one-fallback": { colour: sky, symbol: "diamond", dash: "dash" },
  "one-to-one-deferred": { colour: sky, symbol: "triangle-up" },
  "one-to-one-deferred-never": { colour: sky, symbol: "triangle-up-open", dash: "dot" },
  "pools-each": { colour: orange, symbol: "cross", dash: "dash" },
  "pools-each-lazy": { colour: orange, symbol: "cross-open" },
  "v5.15-lazy": { colour: green, symbol: "circle" },
  "v5.15-strict": { colour: green, symbol: "square", dash: "dashdot" },
  "v6.9-lazy": { colour: orange, symbol: "circle" },
  "v6.9-strict": { colour: orange, symbol: "square", dash: "dot" },
  "v6.18-lazy": { colour: sky, symbol: "circle" },
  "v6.18-strict": { colour: red, symbol: "diamond", dash: "dash" },
  "v6.18.2-strict": { colour: red, symbol: "cross", dash: "dash" },
  "v6.18-amd-lazy": { colour: orange, symbol: "circle-open" },
  "v6.18-amd-strict": { colour: orange, symbol: "square-open", dash: "dot" },
  "v6.18-smmu-lazy": { colour: green, symbol: "circle-open" },
  "v6.18-smmu-strict": { colour: green, symbol: "square-open", dash: "dash" },
  "v6.18-smmu-add-strict": { colour: green, symbol: "star", dash: "dash" },
  "v5.10-smmu-strict": { colour: green, symbol: "diamond-open", dash: "dash" },
  "v5.12-smmu-strict": { colour: green, symbol: "pentagon-open", dash: "dash" },
  "v5.12-smmu-lazy": { colour: green, symbol: "pentagon-open" },
  "v6.18-smmu-pages-strict": { colour: green, symbol: "hexagon-open", dash: "dash" },
  "v6.18-large-caches-lazy": { colour: sky, symbol: "star" },
  "v6.18-large-caches-strict": { colour: red, symbol: "star", dash: "dash" },
  "v6.18-lazy-single": { colour: sky, symbol: "circle-open" },
  "v6.18-guest-strict": { colour: red, symbol: "diamond-open", dash: "dash" },
  "v6.18-guest-lazy": { colour: sky, symbol: "diamond-open" },
  "v6.18-guest-bounce": { colour: pink, symbol: "star-open" },
  "v6.18-page-pool": { colour: blue, symbol: "hexagon" },
  "v6.18-page-pool-strict": { colour: blue, symbol: "hexagon", dash: "dash" },
  "v6.18-bounce": { colour: pink, symbol: "star" },
} satisfies Record<string, Look>;

const kinds = {
  way: ways,
  /** What a core's time goes to. */
  part: {
    stack: { colour: "#7297c3" },
    spinning: { colour: "#944b69" },
    tree: { colour: "#546919" },
    "page table": { colour: "#c48650" },
    invalidation: { colour: "#3e6492" },
    api: { colour: "#756246" },
    waiting: { colour: "#87997c" },
  },
  /** Page sizes, from the smallest up; `off` is the way of mapping of that name. */
  page: {
    off: { colour: grey },
    "4K": { colour: "#955699", symbol: "square" },
    "2M": { colour: "#6a67fb", symbol: "diamond" },
    "1G": { colour: "#d765e0", symbol: "triangle-up" },
  },
  /** Measured hosts; two of one microarchitecture are told apart by their markers too. */
  host: {
    hsw: { colour: "#b04d00" },
    hsw2: { colour: "#d5798b", symbol: "square" },
    ivb: { colour: "#5958af", symbol: "diamond" },
    "ivb-remote": { colour: "#4684fb", symbol: "diamond-open" },
    snb: { colour: "#839d52", symbol: "triangle-up" },
    bdw: { colour: "#75597f", symbol: "triangle-down" },
    "cascade-lake": { colour: "#8d5046", symbol: "pentagon" },
  },
  /** Locks that dma_map and dma_unmap take. */
  lock: {
    "allocator lock": { colour: "#b33045" },
    iova_rbtree_lock: { colour: "#b33045" },
    async_umap_flush_lock: { colour: "#bd8c09", symbol: "square" },
    q_lock: { colour: "#2aa0c2", symbol: "diamond" },
    device_domain_lock: { colour: "#7a3cd6", symbol: "triangle-up" },
  },
} satisfies Record<string, Record<string, Look>>;

/** A set of things that have colours of their own. */
export type LookKind = keyof typeof kinds;

/** The sets by name, each with its things in the order in which a reader meets them. */
export const looks: Readonly<Record<LookKind, Readonly<Record<string, Look>>>> = kinds;

/**
 * How a thing is drawn in every figure.
 * @param kind the set that it belongs to: "way" (of mapping), "part" (of the time), "page", "host", "lock"
 * @param name its name in the tables: "strict", "spinning", "4K", "hsw", "q_lock"
 * @throws Error naming the things of the set
 * @example lookOf("way", "strict").colour // "#d53100"
 */
export function lookOf(kind: LookKind, name: string): Look {
  const set = looks[kind];
  if (set === undefined)
    throw new Error(`There is no set of colours "${kind}"; there are ${Object.keys(looks).join(", ")}.`);
  if (!Object.hasOwn(set, name))
    throw new Error(`There is no ${kind} "${name}" with a colour; there are ${Object.keys(set).join(", ")}.`);
  return set[name];
}

/** The look of something measured beside the same thing simulated: its colour, an empty marker. */
export function measuredLook({ colour, symbol = "circle" }: Look): Look {
  return { colour, symbol: symbol.endsWith("-open") ? symbol : `${symbol}-open` };
}
