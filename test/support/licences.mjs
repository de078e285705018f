// npm run licences: the licence of every package that a user gets, from package-lock.json; and a list of materials (SBOM) in CycloneDX's
// JSON beside it. Ends with 1 where a licence is none of those that fit this project's own (MIT).
//   npm run licences -- [--all] [--sbom FILE]      --all: the developers' packages too
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..", "..");

/** Licences whose terms this project's users meet by passing on the packages unchanged. */
const fitting = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BSL-1.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "OFL-1.1",
  "PSF-2.0",
  "Python-2.0",
  "Unlicense",
  "Zlib",
]);

/** Packages whose lock entry names no licence, or one of several, and what their own licence file says. */
const known = new Map([]);

/**
 * The packages of a lock file, by name and version.
 * @param all with those that only developers need
 */
export function packages(lock, all) {
  return Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path !== "" && !link && (all || !dev))
    .map(([path, { version, license, integrity, optional }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      return {
        name,
        version,
        licence: license ?? known.get(name) ?? "unknown",
        integrity,
        optional: optional === true,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Whether a licence fits: one of those above, or a choice that holds one ("(MIT OR GPL-3.0)"), or several that all fit. */
export function fits(licence) {
  const words = licence.replace(/[()]/g, "").trim();
  if (/ OR /i.test(words)) return words.split(/ OR /i).some((one) => fits(one));
  return words.split(/ AND /i).every((one) => fitting.has(one.trim()));
}

/** The list of materials in CycloneDX 1.5. */
export function billOfMaterials(found, { name, version, license }) {
  const digest = createHash("sha256").update(JSON.stringify(found)).digest("hex");
  const serial = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    serialNumber: `urn:uuid:${serial}`,
    version: 1,
    metadata: { component: { type: "application", name, version, licenses: [{ license: { id: license } }] } },
    components: found.map((one) => ({
      type: "library",
      name: one.name,
      version: one.version,
      purl: `pkg:npm/${one.name.replace("@", "%40")}@${one.version}`,
      scope: one.optional ? "optional" : "required",
      licenses: [{ expression: one.licence }],
      ...(one.integrity ? { hashes: one.integrity.split(" ").map(hashOf) } : {}),
    })),
  };
}

function hashOf(integrity) {
  const [algorithm, base64] = integrity.split(/-(.*)/s);
  return {
    alg: algorithm.toUpperCase().replace("SHA", "SHA-"),
    content: Buffer.from(base64, "base64").toString("hex"),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { all: { type: "boolean" }, sbom: { type: "string", default: "results/sbom.cdx.json" } },
  });
  const found = packages(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")), values.all);
  const byLicence = grouped(found);
  for (const [licence, ones] of [...byLicence].sort(([, a], [, b]) => b.length - a.length))
    console.log(`${licence} (${ones.length}): ${ones.map(({ name, version }) => `${name} ${version}`).join(", ")}\n`);
  mkdirSync(dirname(resolve(values.sbom)), { recursive: true });
  const bill = billOfMaterials(found, JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  writeFileSync(values.sbom, `${JSON.stringify(bill, null, 1)}\n`);
  console.log(`${found.length} packages; their list of materials is in ${values.sbom}.`);
  const others = found.filter(({ licence }) => !fits(licence));
  if (others.length > 0) {
    console.error(
      `Of a licence that is not known to fit: ${others.map(({ name, licence }) => `${name} (${licence})`).join(", ")}.`,
    );
    process.exitCode = 1;
  }
}

function grouped(found) {
  const groups = new Map();
  for (const one of found) groups.set(one.licence, [...(groups.get(one.licence) ?? []), one]);
  return groups;
}
