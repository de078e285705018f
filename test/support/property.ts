import fc from "fast-check";

/**
 * fast-check, with the same cases in every run: a test that fails fails again, for whoever looks for it.
 * `IOMMU_LAB_TEST_SEED=N` draws others, and `IOMMU_LAB_TEST_SEED=random` others each time.
 */
const wanted = process.env["IOMMU_LAB_TEST_SEED"] ?? "1";
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted) });

export { fc };
