/**
 * The tags that separate the domains of Poseidon: element 0 of the state before the permutation, for every hash of STUN.
 * See docs/protocol.md section 2.
 */
export const TAG = {
  /** EdDSA's inner hash, as circomlib has it. */
  challenge: 0n,
  orderId: 1n,
  policyId: 2n,
  payloadCommitment: 3n,
  tensorFirst: 4n,
  tensorStep: 5n,
  modelOpaque: 6n,
  modelCompiled: 7n,
  signerId: 8n,
  laneGenesis: 9n,
  demand: 10n,
  receipt: 11n,
  deliveryDigest: 12n,
  statement: 13n,
  enclaveLeaf: 14n,
  enclaveNode: 15n,
  receiptsNode: 16n,
  outputBlinding: 17n,
  hardwareId: 18n,
} as const;
