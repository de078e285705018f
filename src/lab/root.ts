import { fileURLToPath } from "node:url";

/** The project's folder. The compiled file lies as deep in dist/ as this one in src/. */
export const projectRoot: string = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
