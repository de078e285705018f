import { Facts } from "../../src/facts/index.js";

/** The data of this version, which most tests run on. */
export const published = Facts.published();
