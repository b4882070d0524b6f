/** What a finished ceremony hands over to provers and deployments: one folder with key, verification key, Solidity verifier, manifest, transcript. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTranscript, transcriptHashOf, type CeremonyTranscript } from '#protocol/ceremony.ts';
import type { Hex } from '#protocol/bytes.ts';
import { DISCLOSURE_SIGNALS } from '#protocol/disclosure.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { publicSignalNames } from '#protocol/terms.ts';
import { fileSha256 } from '../build/build-circuit.ts';
import { solidityVerifier, type VerifierDescription } from '../build/solidity-verifier.ts';
import { readVerificationKey, settlementFamilyOf, vkHashOf, type VerificationKey } from '../build/verification-key.ts';
import { writeWholeFolder } from '../build/whole-folder.ts';

/** File names inside the folder; the Solidity verifier has the name of its contract. */
export const CEREMONY_FILES = {
  zkey: 'circuit.zkey',
  verificationKey: 'verification-key.json',
  transcript: 'transcript.json',
  manifest: 'manifest.json',
} as const;

/** What a verifier is called and bound to. */
export interface CeremonyTarget {
  /** Name of the circuit. */
  readonly circuit: string;
  /** Most jobs in one segment; null for a circuit of disclosures, which settles nothing. */
  readonly n: number | null;
  /** Solidity contract name. */
  readonly verifier: string;
  readonly r1csPath: string;
}

/** What the folder holds; SHA-256 in hex. */
export interface CeremonyManifest {
  readonly name: string;
  /** Both null for a circuit that settles nothing. */
  readonly n: number | null;
  readonly verifier: string;
  readonly setup: 'ceremony';
  readonly vkHash: Hex;
  readonly familyId: Hex | null;
  readonly transcriptHash: Hex;
  readonly sha256: { readonly r1cs: string; readonly zkey: string; readonly verificationKey: string };
}

/** Pairs among the public signals of a settlement key: none, or one a job. @throws `STUN_CEREMONY_CIRCUIT` */
function publishedPairsOfKey({ nPublic }: VerificationKey, n: number): number {
  const choices = [0, n];
  const found = choices.find((pairs) => publicSignalNames(pairs).length === nPublic);
  if (found !== undefined) return found;
  const expected = choices.map((pairs) => publicSignalNames(pairs).length).join(' or ');
  throw new StunError('STUN_CEREMONY_CIRCUIT', `a settlement circuit has ${expected} public signals, not ${nPublic}`);
}

/** What the signals of a key are called, and how its verifier settles. @throws `STUN_CEREMONY_CIRCUIT` */
function formOfKey(key: VerificationKey, n: number | null): Pick<VerifierDescription, 'signals' | 'settlement'> {
  if (n !== null) {
    const publishedPairs = publishedPairsOfKey(key, n);
    return { signals: publicSignalNames(publishedPairs), settlement: { n, publishedPairs } };
  }
  if (key.nPublic === DISCLOSURE_SIGNALS.length) return { signals: DISCLOSURE_SIGNALS };
  throw new StunError(
    'STUN_CEREMONY_CIRCUIT',
    `a disclosure circuit has ${DISCLOSURE_SIGNALS.length} public signals, not ${key.nPublic}`,
  );
}

/** The Solidity source of a ceremony's verifier; the same for everybody. @throws `STUN_CIRCUIT_FORGEABLE_KEY`, `STUN_CEREMONY_CIRCUIT` */
export function ceremonyVerifier(key: VerificationKey, target: Omit<CeremonyTarget, 'r1csPath'>, r1csSha256: string): string {
  return solidityVerifier(key, {
    contract: target.verifier,
    circuit: target.circuit,
    sourceHash: r1csSha256,
    setup: 'ceremony',
    ...formOfKey(key, target.n),
  });
}

/**
 * Refuses a transcript of another circuit or another key, by their files' digests: what costs no verification.
 * @throws `STUN_CEREMONY_CIRCUIT`, `STUN_CEREMONY_TRANSCRIPT`
 */
export function assertTranscriptOf({ circuit, key }: CeremonyTranscript, r1csSha256: string, zkeySha256: string): void {
  if (circuit.r1csSha256 !== r1csSha256) throw new StunError('STUN_CEREMONY_CIRCUIT', 'the transcript is of another circuit');
  if (key.zkeySha256 !== zkeySha256) throw new StunError('STUN_CEREMONY_TRANSCRIPT', 'the transcript is of another key');
}

/**
 * Writes the folder; it appears whole or not at all. The ceremony is not verified again, only that transcript, key and circuit belong together.
 * @throws `STUN_CEREMONY_TRANSCRIPT`, `STUN_CEREMONY_INCOMPLETE`, `STUN_CEREMONY_CIRCUIT`, `STUN_CIRCUIT_FORGEABLE_KEY`, `STUN_FILE`
 */
export async function exportCeremony(
  keyPath: string,
  transcriptText: string,
  target: CeremonyTarget,
  folder: string,
): Promise<CeremonyManifest> {
  const transcript = parseTranscript(transcriptText);
  const [r1csSha256, zkeySha256] = [await fileSha256(target.r1csPath), await fileSha256(keyPath)];
  assertTranscriptOf(transcript, r1csSha256, zkeySha256);
  const key = await readVerificationKey(keyPath);
  const vkHash = vkHashOf(key);
  if (transcript.key.vkHash !== vkHash)
    throw new StunError('STUN_CEREMONY_TRANSCRIPT', `the transcript must name the key ${vkHash}`);
  formOfKey(key, target.n);
  return writeWholeFolder(folder, async (scratch) => {
    const at = (name: string): string => join(scratch, name);
    await copyFile(keyPath, at(CEREMONY_FILES.zkey));
    await writeFile(at(CEREMONY_FILES.verificationKey), `${JSON.stringify(key, null, 1)}\n`);
    await writeFile(at(CEREMONY_FILES.transcript), transcriptText);
    await writeFile(at(`${target.verifier}.sol`), ceremonyVerifier(key, target, r1csSha256));
    const manifest: CeremonyManifest = {
      name: target.circuit,
      n: target.n,
      verifier: target.verifier,
      setup: 'ceremony',
      vkHash,
      familyId: target.n === null ? null : settlementFamilyOf(target.n, vkHash),
      transcriptHash: transcriptHashOf(transcriptText),
      sha256: { r1cs: r1csSha256, zkey: zkeySha256, verificationKey: await fileSha256(at(CEREMONY_FILES.verificationKey)) },
    };
    await writeFile(at(CEREMONY_FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  });
}
