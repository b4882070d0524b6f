/**
 * A ceremony's folder as a prover or a deployment takes it: only with a key on the allow-list, with the transcript that the list names, of the
 * published powers of tau, for the circuit of this checkout. The ceremony itself is not verified again: who put it on the list did.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Hex } from '#protocol/bytes.ts';
import { assertAllowed, type AllowedKey } from '#protocol/ceremony.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { bytes32Hex, readDocument } from '#protocol/wire/scalars.ts';
import { assertNotForgeable, settlementFamilyOf, vkHashOf, type VerificationKey } from '../build/verification-key.ts';
import { CEREMONY_FILES } from './export-ceremony.ts';
import type { PublishedPowers } from './powers-of-tau.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const manifestSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  n: z.int().min(1).max(65_535).nullable(),
  verifier: z.string().regex(/^[A-Z][A-Za-z0-9]{0,63}$/),
  setup: z.literal('ceremony'),
  vkHash: bytes32Hex,
  familyId: bytes32Hex.nullable(),
  transcriptHash: bytes32Hex,
  sha256: z.strictObject({ r1cs: sha256, zkey: sha256, verificationKey: sha256 }),
});

const decimal = z.string().regex(/^(?:0|[1-9]\d{0,77})$/);
const pair = z.tuple([decimal, decimal]);
const g1 = z.tuple([decimal, decimal, z.literal('1')]);
const g2 = z.tuple([pair, pair, z.tuple([z.literal('1'), z.literal('0')])]);
const keySchema = z
  .strictObject({
    protocol: z.literal('groth16'),
    curve: z.literal('bn128'),
    nPublic: z.int().min(1).max(64),
    vk_alpha_1: g1,
    vk_beta_2: g2,
    vk_gamma_2: g2,
    vk_delta_2: g2,
    IC: z.array(g1).min(2).max(65),
  })
  .refine((key) => key.IC.length === key.nPublic + 1, 'IC must have one point more than there are public signals');

/** What a folder is held against; nothing has a default. */
export interface CeremonyPolicy<Jobs extends number | null = number> {
  readonly allowed: readonly AllowedKey[];
  /** Digests of powers of tau that count: PUBLISHED_POWERS but for rehearsals and tests. */
  readonly table: readonly PublishedPowers[];
  /** SHA-256 of the constraint system and jobs of a segment that a circuit's name stands for. @throws for a name that is none */
  readonly circuitOf: (name: string) => Promise<{ readonly r1csSha256: string; readonly n: Jobs }>;
}

/** A key that the policy accepts. */
export interface AcceptedKey<Jobs extends number | null> {
  readonly name: string;
  /** Null for a circuit of disclosures. */
  readonly n: Jobs;
  /** Solidity contract name. */
  readonly verifier: string;
  readonly verificationKey: VerificationKey;
  readonly vkHash: Hex;
  readonly transcript: string;
  readonly transcriptHash: Hex;
  readonly r1csSha256: string;
  readonly zkeyPath: string;
  readonly zkeySha256: string;
}

/** A settlement key that the policy accepts. */
export interface AcceptedCeremony extends AcceptedKey<number> {
  readonly familyId: Hex;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/**
 * Reads a folder that `stun ceremony export` wrote and holds it against the policy. The proving key itself is not read: whoever loads it
 * compares it with `zkeySha256`.
 * @throws `STUN_FILE`, `STUN_INPUT`, `STUN_CIRCUIT_FORGEABLE_KEY`; `STUN_CEREMONY_NOT_ALLOWED`, `STUN_CEREMONY_TRANSCRIPT`, `STUN_CEREMONY_INCOMPLETE`,
 *   `STUN_CEREMONY_PTAU_DIGEST` for powers of tau that were never published, `STUN_CEREMONY_CIRCUIT`
 */
export async function loadCeremonyKey<Jobs extends number | null>(
  folder: string,
  policy: CeremonyPolicy<Jobs>,
): Promise<AcceptedKey<Jobs>> {
  const at = (name: keyof typeof CEREMONY_FILES): string => join(folder, CEREMONY_FILES[name]);
  let documents: readonly [unknown, unknown];
  let text: string | undefined;
  try {
    documents = [await readJson(at('manifest')), await readJson(at('verificationKey'))];
    text = await readFile(at('transcript'), 'utf8').catch(() => undefined);
  } catch (cause) {
    throw new StunError('STUN_FILE', `${folder} must be a folder that stun ceremony export wrote`, { cause });
  }
  const manifest = readDocument(manifestSchema, documents[0], 'manifest of a ceremony');
  const verificationKey = assertNotForgeable(readDocument(keySchema, documents[1], 'verification key'));
  const vkHash = vkHashOf(verificationKey);
  const { transcript, transcriptHash } = assertAllowed(policy.allowed, vkHash, text);
  if (!policy.table.some((row) => row.blake2b512 === transcript.powersOfTau.blake2b512)) {
    throw new StunError('STUN_CEREMONY_PTAU_DIGEST', 'the transcript names powers of tau that are not published: a rehearsal');
  }
  const circuit = await policy.circuitOf(manifest.name);
  if (transcript.circuit.r1csSha256 !== circuit.r1csSha256 || manifest.n !== circuit.n) {
    throw new StunError('STUN_CEREMONY_CIRCUIT', `the ceremony is of another circuit than ${manifest.name} of this checkout`);
  }
  return {
    name: manifest.name,
    n: circuit.n,
    verifier: manifest.verifier,
    verificationKey,
    vkHash,
    transcript: text!,
    transcriptHash,
    r1csSha256: circuit.r1csSha256,
    zkeyPath: at('zkey'),
    zkeySha256: transcript.key.zkeySha256,
  };
}

/** The same for a settlement circuit. @throws as {@link loadCeremonyKey} */
export async function loadCeremony(folder: string, policy: CeremonyPolicy): Promise<AcceptedCeremony> {
  const accepted = await loadCeremonyKey(folder, policy);
  return { ...accepted, familyId: settlementFamilyOf(accepted.n, accepted.vkHash) };
}
