export * from "./pcie/index.js";
