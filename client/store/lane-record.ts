/** What a lane is bound to from its first job on: the enclave, as its evidence was when this client verified it. Written once. */
import { z } from 'zod';
import {
  addressHex,
  bytes32Hex,
  bytesHex,
  fieldFromHex,
  fieldHex,
  fieldToHex,
  fromHex,
  keysetDigestOf,
  parseKeyset,
  readDocument,
  signerIdOf,
  toHex,
  unixSeconds,
  type Hex,
  type Keyset,
} from '#protocol/index.ts';

const schema = z.strictObject({
  version: z.literal(1),
  orderKey: bytes32Hex,
  provider: addressHex,
  laneIndex: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  keyset: bytesHex,
  /** The evidence document's exact text. */
  evidence: z.string(),
  hardwareIdHash: fieldHex,
  leafExpiresAtUnix: unixSeconds,
  simulated: z.boolean(),
  verifiedAtUnix: unixSeconds,
  /** 0 for a lane that was stored before this was: then nothing new goes over it. */
  evidenceExpiresAtUnix: unixSeconds.default(0),
});

/** A lane's enclave and place. */
export interface LaneRecord {
  readonly orderKey: string;
  readonly provider: string;
  readonly laneIndex: number;
  readonly keysetBytes: Uint8Array;
  readonly keyset: Keyset;
  readonly keysetDigest: Hex;
  readonly signerId: bigint;
  readonly evidenceText: string;
  readonly hardwareIdHash: bigint;
  readonly leafExpiresAtUnix: number;
  readonly simulated: boolean;
  readonly verifiedAtUnix: number;
  /** The first of the vendors' statements in the evidence to end; jobs that begin later have no receipt that verifies. */
  readonly evidenceExpiresAtUnix: number;
}

/** Reads a stored lane. @throws `STUN_INPUT`, `STUN_KEYSET_LAYOUT`, `STUN_KEY_*` */
export function laneRecordFromWire(document: unknown): LaneRecord {
  const wire = readDocument(schema, document, 'stored lane');
  const keysetBytes = fromHex(wire.keyset, undefined, 'keyset');
  const keyset = parseKeyset(keysetBytes);
  return {
    orderKey: wire.orderKey,
    provider: wire.provider,
    laneIndex: wire.laneIndex,
    keysetBytes,
    keyset,
    keysetDigest: toHex(keysetDigestOf(keysetBytes)),
    signerId: signerIdOf(keyset.receiptKey),
    evidenceText: wire.evidence,
    hardwareIdHash: fieldFromHex(wire.hardwareIdHash, 'hardwareIdHash'),
    leafExpiresAtUnix: wire.leafExpiresAtUnix,
    simulated: wire.simulated,
    verifiedAtUnix: wire.verifiedAtUnix,
    evidenceExpiresAtUnix: wire.evidenceExpiresAtUnix,
  };
}

/** The stored form of a lane. */
export function laneRecordToWire(lane: LaneRecord): z.infer<typeof schema> {
  return {
    version: 1,
    orderKey: lane.orderKey,
    provider: lane.provider,
    laneIndex: lane.laneIndex,
    keyset: toHex(lane.keysetBytes),
    evidence: lane.evidenceText,
    hardwareIdHash: fieldToHex(lane.hardwareIdHash),
    leafExpiresAtUnix: lane.leafExpiresAtUnix,
    simulated: lane.simulated,
    verifiedAtUnix: lane.verifiedAtUnix,
    evidenceExpiresAtUnix: lane.evidenceExpiresAtUnix,
  };
}
