/** A ceremony from its files: start a key, verify one whole, and what its transcript says. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buildBn128 } from 'ffjavascript';
import { assertFinished, type CeremonyTranscript } from '#protocol/ceremony.ts';
import { domainExponentOf } from '../build/development-key.ts';
import { parseR1cs, type R1cs } from '../build/r1cs.ts';
import { assertNotForgeable, verificationKeyOf, vkHashOf } from '../build/verification-key.ts';
import { openKey, writeKey } from './key-file.ts';
import { openPowersOfTau, type PublishedPowers, type Share, type VerifiedPowers } from './powers-of-tau.ts';
import { startedContent, startKey } from './start-key.ts';
import type { VerifiedContribution } from './verify-contributions.ts';
import { verifyKey } from './verify-key.ts';

/** What phase 2 is about. */
export interface CeremonyGround {
  readonly r1csPath: string;
  readonly powersPath: string;
  /** Digests to accept: PUBLISHED_POWERS but for rehearsals and tests. */
  readonly table: readonly PublishedPowers[];
}

/** Told what is being done and how far it has come: 0..1. */
export type StepShare = (step: string, share: number) => void;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Constraints with the digest of the very bytes that they were read from. */
interface HashedR1cs extends R1cs {
  readonly sha256: string;
}

async function withGround<T>(
  ground: CeremonyGround,
  share: StepShare,
  task: (r1cs: HashedR1cs, powers: VerifiedPowers) => Promise<T>,
): Promise<T> {
  const bytes = await readFile(ground.r1csPath);
  const r1cs = parseR1cs(bytes);
  const hashing: Share = (part) => share('hashing the powers of tau', part);
  const powers = await openPowersOfTau(ground.powersPath, domainExponentOf(r1cs), ground.table, hashing);
  try {
    return await task({ ...r1cs, sha256: createHash('sha256').update(bytes).digest('hex') }, powers);
  } finally {
    await powers.sections.close();
  }
}

/**
 * Starts phase 2 and writes the key.
 * @returns the circuit hash, 64 bytes of hex
 * @throws `STUN_FILE`, `STUN_CIRCUIT_R1CS`, `STUN_CEREMONY_PTAU_*`
 */
export async function startCeremony(ground: CeremonyGround, to: string, share: StepShare): Promise<string> {
  return withGround(ground, share, async (r1cs, powers) => {
    const started = await startKey(await buildBn128(true), r1cs, powers, (part) =>
      share('computing the key of the circuit', part),
    );
    await writeKey(to, startedContent(started));
    return hex(started.record.circuitHash);
  });
}

function entryOf({ beacon, hash, name }: VerifiedContribution): CeremonyTranscript['contributions'][number] {
  const source = beacon && { value: hex(beacon.value), iterationsExponent: beacon.iterationsExponent };
  return { name, hash: hex(hash), beacon: source ?? null };
}

/**
 * Verifies a key from powers of tau to the last contribution.
 * @returns the transcript; the ceremony need not be finished
 * @throws `STUN_FILE`, `STUN_CIRCUIT_R1CS`, `STUN_CEREMONY_PTAU_*`, `STUN_CEREMONY_KEY_FORMAT`, `STUN_CIRCUIT_FORGEABLE_KEY`, and
 *   what {@link verifyKey} throws
 */
export async function verifyCeremony(ground: CeremonyGround, keyPath: string, share: StepShare): Promise<CeremonyTranscript> {
  return withGround(ground, share, async (r1cs, powers) => {
    const key = await openKey(keyPath);
    try {
      const curve = await buildBn128(true);
      const started = await startKey(curve, r1cs, powers, (part) => share('computing the key of the circuit', part));
      const contributions = await verifyKey(curve, started, key, (part) => share('verifying contributions and key', part));
      const verificationKey = verificationKeyOf(key.header, await key.sections.read(3));
      // Before anybody contributed gamma equals delta; afterwards only if the secrets cancel each other out.
      if (contributions.length > 0) assertNotForgeable(verificationKey);
      return {
        format: 'stun/ceremony-transcript/v1',
        circuit: {
          r1csSha256: r1cs.sha256,
          constraints: r1cs.constraintCount,
          wires: r1cs.wireCount,
          publicSignals: r1cs.publicCount,
          domainSize: key.header.domainSize,
        },
        powersOfTau: { power: powers.entry.power, blake2b512: powers.entry.blake2b512 },
        circuitHash: hex(started.record.circuitHash),
        contributions: contributions.map(entryOf),
        key: {
          zkeySha256: await key.sections.digest('sha256'),
          vkHash: vkHashOf(verificationKey),
        },
      };
    } finally {
      await key.sections.close();
    }
  });
}

/**
 * Verifies a key whose ceremony is finished: at least two contributions, then a beacon.
 * @throws as {@link verifyCeremony}; `STUN_CEREMONY_INCOMPLETE`
 */
export async function verifyFinished(ground: CeremonyGround, keyPath: string, share: StepShare): Promise<CeremonyTranscript> {
  return assertFinished(await verifyCeremony(ground, keyPath, share));
}
