import { LOADED } from "./layout.js";

/** CPUs are alike and vCPUs are alike: the representative has the smallest words over all renamings. */
export function symmetry(cpus: number, vcpus: number): (state: Uint32Array) => void {
  const renamings = permutations(vcpus);
  const bytes = new Uint8Array(cpus);
  return (state) => {
    if (cpus === 1 && vcpus === 1) return;
    const [w0, w1] = state;
    const rest = w1 & ~(vcpus === 1 ? 0xff : vcpus === 2 ? 0xffff : 0xffffff);
    let best0 = 0xffff_ffff;
    let best1 = 0xffff_ffff;
    for (const renaming of renamings) {
      let guests = rest;
      for (let u = 0; u < vcpus; u++) guests |= ((w1 >>> (u * 8)) & 255) << (renaming[u] * 8);
      guests >>>= 0;
      if (guests > best1) continue;
      for (let c = 0; c < cpus; c++) {
        const cpu = (w0 >>> (c * 8)) & 255;
        const v = ((cpu >> LOADED) & 3) - 1;
        const byte = v < 0 ? cpu : (cpu & ~(3 << LOADED)) | ((renaming[v] + 1) << LOADED);
        // Insertion sort: there are at most four.
        let at = c;
        while (at > 0 && bytes[at - 1] > byte) {
          bytes[at] = bytes[at - 1];
          at--;
        }
        bytes[at] = byte;
      }
      let sorted = 0;
      for (let c = 0; c < cpus; c++) sorted |= bytes[c] << (c * 8);
      sorted >>>= 0;
      if (guests < best1 || sorted < best0) {
        best0 = sorted;
        best1 = guests;
      }
    }
    state[0] = best0;
    state[1] = best1;
  };
}

function permutations(n: number): number[][] {
  if (n === 1) return [[0]];
  return permutations(n - 1).flatMap((shorter) =>
    Array.from({ length: n }, (_, at) => [...shorter.slice(0, at), n - 1, ...shorter.slice(at)]),
  );
}
