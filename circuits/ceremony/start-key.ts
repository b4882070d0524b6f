/**
 * Phase 2 starts: from a constraint system and powers of tau to the proving key that contributions are added to. gamma and delta are
 * both 1 (the generator) in it, so anybody can forge proofs under it: only a key with contributions is worth anything.
 *
 * Every section and the circuit hash equal those of `snarkjs zkey new` (0.7.6) byte for byte (test/circuits/ceremony-start.test.ts).
 */
import { createHash } from 'node:crypto';
import type { Bn128 } from 'ffjavascript';
import { BATCH } from '../build/fixed-base.ts';
import { coefficientSection, domainExponentOf } from '../build/development-key.ts';
import type { R1cs } from '../build/r1cs.ts';
import { G1_BYTES, G2_BYTES, type ZkeyHeader } from '../build/zkey-format.ts';
import type { ContributionRecord } from './contribution-record.ts';
import { GroupMemory, withMemory, type Group } from './group-memory.ts';
import type { KeyContent, KeySection } from './key-file.ts';
import { lagrangeBasis, type Share, type VerifiedPowers } from './powers-of-tau.ts';
import { columnsOf } from './sparse-columns.ts';
import { allSums, threadsFor, type SumTask } from './wire-sums.ts';

/** A key as phase 2 starts it, in memory. */
export interface StartedKey {
  readonly header: ZkeyHeader;
  readonly parts: ReadonlyMap<KeySection, Uint8Array>;
  readonly record: ContributionRecord;
}

/** What {@link writeKey} of key-file.ts takes. */
export function startedContent({ header, parts, record }: StartedKey): KeyContent {
  return { header, record, section: (type) => Promise.resolve(parts.get(type)!) };
}

function uint32BigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

async function headerOf(curve: Bn128, r1cs: R1cs, powers: VerifiedPowers): Promise<ZkeyHeader> {
  const one1 = curve.G1.toAffine(curve.G1.g).slice(0, G1_BYTES);
  const one2 = curve.G2.toAffine(curve.G2.g).slice(0, G2_BYTES);
  return {
    wireCount: r1cs.wireCount,
    publicCount: r1cs.publicCount,
    domainSize: 2 ** domainExponentOf(r1cs),
    alpha1: await powers.sections.read(4, 0, G1_BYTES),
    beta1: await powers.sections.read(5, 0, G1_BYTES),
    beta2: await powers.sections.read(6, 0, G2_BYTES),
    gamma2: one2,
    delta1: one1,
    delta2: one2,
  };
}

/** Bytes that threads read without a copy of their own. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** The sums of all wires that depend on the circuit: A, B in both groups, and beta·A + alpha·B + C. */
async function sumsOf(curve: Bn128, r1cs: R1cs, powers: VerifiedPowers, share: Share, threads: number | undefined) {
  const exponent = domainExponentOf(r1cs);
  const [a, b, c] = columnsOf(r1cs);
  const basis = async (section: 12 | 13 | 14 | 15): Promise<Uint8Array> => shared(await lagrangeBasis(powers, section, exponent));
  const [tau, tau2, alpha, beta] = [await basis(12), await basis(13), await basis(14), await basis(15)];
  const task = (group: Group, ...steps: SumTask['steps']): SumTask => ({ group, wireCount: r1cs.wireCount, steps });
  const tasks = [
    task('g1', { points: tau, columns: a }),
    task('g1', { points: tau, columns: b }),
    task('g2', { points: tau2, columns: b }),
    task('g1', { points: tau, columns: c }, { points: alpha, columns: b }, { points: beta, columns: a }),
  ];
  const sums = await allSums(curve, tasks, threads ?? threadsFor(tasks), share);
  const [sumA, b1, b2, k] = sums as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { a: sumA, b1, b2, k };
}

/** Section 9: the odd-indexed points of the basis of the doubled domain. */
async function oddPoints(powers: VerifiedPowers, exponent: number): Promise<Uint8Array> {
  const doubled = await lagrangeBasis(powers, 12, exponent + 1);
  const result = new Uint8Array(doubled.length / 2);
  for (let i = 0; i < result.length; i += G1_BYTES) result.set(doubled.subarray(2 * i + G1_BYTES, 2 * i + 2 * G1_BYTES), i);
  return result;
}

/** Points that snarkjs hashes for H at a time; from its second chunk on it takes one point more than H has. */
const SNARKJS_CHUNK = 2 ** 14;

/**
 * tau^(n+i) - tau^i in G1 for all i, uncompressed: what the circuit hash takes in place of H, of which it is another basis.
 * snarkjs reads one point too many in domains above its chunk; with powers of exactly the circuit's size that point lies behind the
 * section, and its hash is of whatever stands there. So is ours, or the two would not agree.
 */
async function hashableH(curve: Bn128, powers: VerifiedPowers, domainSize: number): Promise<Uint8Array> {
  const count = domainSize - 1 > SNARKJS_CHUNK ? domainSize : domainSize - 1;
  const { offset } = powers.sections.place(2);
  const low = await powers.sections.readAt(offset, count * G1_BYTES);
  const high = await powers.sections.readAt(offset + domainSize * G1_BYTES, count * G1_BYTES);
  const difference = await withMemory(curve, async () => {
    const memory = new GroupMemory(curve, 'g1');
    const [x, y] = [memory.reserve(BATCH * G1_BYTES), memory.reserve(BATCH * G1_BYTES)];
    const points = memory.reserve(BATCH * memory.jacobianBytes);
    const subtract = memory.operation('subAffine');
    const result = new Uint8Array(count * G1_BYTES);
    for (let done = 0; done < count; done += BATCH) {
      const some = Math.min(BATCH, count - done);
      const part = (from: Buffer): Buffer => from.subarray(done * G1_BYTES, (done + some) * G1_BYTES);
      memory.bytes.set(part(high), x);
      memory.bytes.set(part(low), y);
      for (let i = 0; i < some; i++) subtract(x + i * G1_BYTES, y + i * G1_BYTES, points + i * memory.jacobianBytes);
      result.set(await withMemory(curve, () => Promise.resolve(memory.toAffine(points, some))), done * G1_BYTES);
    }
    return result;
  });
  return curve.G1.batchLEMtoU(difference);
}

async function circuitHashOf(
  curve: Bn128,
  header: ZkeyHeader,
  parts: ReadonlyMap<KeySection, Uint8Array>,
  powers: VerifiedPowers,
): Promise<Uint8Array> {
  const hash = createHash('blake2b512');
  for (const point of [header.alpha1, header.beta1]) hash.update(curve.G1.toUncompressed(point));
  for (const point of [header.beta2, header.gamma2]) hash.update(curve.G2.toUncompressed(point));
  hash.update(curve.G1.toUncompressed(header.delta1)).update(curve.G2.toUncompressed(header.delta2));
  const section = async (type: 3 | 5 | 6 | 7 | 8): Promise<void> => {
    const [group, bytes] = type === 7 ? [curve.G2, G2_BYTES] : [curve.G1, G1_BYTES];
    const points = parts.get(type)!;
    hash.update(uint32BigEndian(points.length / bytes)).update(await group.batchLEMtoU(points));
  };
  await section(3);
  hash.update(uint32BigEndian(header.domainSize - 1)).update(await hashableH(curve, powers, header.domainSize));
  for (const type of [8, 5, 6, 7] as const) await section(type);
  return hash.digest();
}

/**
 * Starts phase 2.
 * @param curve - single-threaded BN254 of its own: its memory grows
 * @param powers - opened with at least the circuit's power
 * @param share - told how far the sums have come; what it throws ends them
 * @param threads - that compute the sums; as many as are worth it when left out
 * @throws `STUN_CIRCUIT_R1CS`, `STUN_CEREMONY_PTAU_FORMAT`
 */
export async function startKey(
  curve: Bn128,
  r1cs: R1cs,
  powers: VerifiedPowers,
  share: Share,
  threads?: number,
): Promise<StartedKey> {
  const header = await headerOf(curve, r1cs, powers);
  const { a, b1, b2, k } = await sumsOf(curve, r1cs, powers, share, threads);
  const publicBytes = (r1cs.publicCount + 1) * G1_BYTES;
  const parts = new Map<KeySection, Uint8Array>([
    [3, k.subarray(0, publicBytes)],
    [4, coefficientSection(curve, r1cs)],
    [5, a],
    [6, b1],
    [7, b2],
    [8, k.subarray(publicBytes)],
    [9, await oddPoints(powers, domainExponentOf(r1cs))],
  ]);
  return { header, parts, record: { circuitHash: await circuitHashOf(curve, header, parts, powers), contributions: [] } };
}
