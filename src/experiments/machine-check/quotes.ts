import type { Claim } from "../frame/experiment.js";

const april15 = "B. Serebrin, mail of 2015-04-15 to the kvm mailing list";
const april16 = "B. Serebrin, mail of 2015-04-16 to the kvm mailing list";

/** What the mails of April 2015 say about machine checks and CR4, sentence by sentence. */
export const mceClaims: Readonly<Record<string, Claim>> = Object.fromEntries(
  (
    [
      {
        id: "mce-zeroed",
        quote:
          "if the host enabled machine check (CR4.MCE==1), the value gets zeroed while the CPU is running in guest context.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "mce-guest-0",
        quote:
          "Before the change, if guest CR4.MCE==0, then the machine check is escalated to Catastrophic Error (CATERR) and the machine dies.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "mce-guest-1",
        quote: "If guest CR4.MCE==1, then the machine check causes VMEXIT and is handled normally by host Linux.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "mce-after",
        quote: "After the change, injecting a machine check causes normal Linux machine check handling.",
        source: april16,
        kind: "fact of the source",
      },
      {
        id: "mce-shadows",
        quote: "There are read and write shadows for the guest to think it wrote its own value.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "mce-cached",
        quote:
          "CR4 is also cached (with no real consistency mechanism) in the VMCS at the time of guest VCPU creation.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "mce-broken",
        quote:
          "If there is ever a change in CR4 value over time, or if CR4 is different on different CPUs in the system, all this logic gets broken.",
        source: april15,
        kind: "fact of the source",
      },
      {
        id: "cr4-read-cost",
        quote:
          "I measure CR4 reads at 24 cycles on haswell and 36 on sandybridge, which compares well with L2 miss costs.",
        source: april15,
        kind: "simulated quantity",
      },
      { id: "cr4-shadow-worth", quote: "Is the shadowing worth the complexity?", source: april15, kind: "question" },
    ] satisfies Claim[]
  ).map((claim) => [claim.id, claim]),
);
