/** The writer of development keys against snarkjs, on a small circuit: same trapdoor, same bytes; and what refuses such a key. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBn128, type Bn128 } from 'ffjavascript';
import { groth16, powersOfTau, zKey } from 'snarkjs';
import { FIELD_ORDER } from '#protocol/field.ts';
import { DEVELOPMENT_TRAPDOOR, domainExponentOf, writeDevelopmentKey, type Trapdoor } from '#circuits/build/development-key.ts';
import { lagrangeAt, power, reduce, rootOfUnity } from '#circuits/build/field-math.ts';
import { FixedBase } from '#circuits/build/fixed-base.ts';
import { parseR1cs, type R1cs } from '#circuits/build/r1cs.ts';
import { readVerificationKey } from '#circuits/build/verification-key.ts';
import { readZkeySections } from '#circuits/build/zkey-format.ts';
import { compileSource } from './compiled.ts';
import { writePowersOfTau } from './powers-of-tau.ts';
import { SeededRandom } from './fixtures.ts';

/** Public inputs and an output, wires in A alone, B alone and neither, linear rows and products. */
const SMALL_CIRCUIT = `pragma circom 2.1.6;
template Small() {
    signal input a;
    signal input b;
    signal input c[4];
    signal output out;
    signal products[5];
    products[0] <== (a + 3) * (c[0] - b);
    products[1] <== products[0] * products[0];
    products[2] <== c[1] * 7 + c[2];
    products[3] <== (products[2] - a) * (c[3] * 21888242871839275222246405745257275088548364400416034343698204186575808495616 + 5);
    products[4] <== products[1] * products[3];
    out <== products[4] + c[2];
    c[0] * (c[0] - 2) === 0;
}
component main { public [a, b] } = Small();
`;
const INPUT = { a: 4n, b: 9n, c: [2n, 3n, 5n, 8n] };
/** One more than the circuit's own, so that the file carries the highest power of tau that the key needs. */
const EXTRA_POWER = 1;

/** snarkjs' setup: gamma and delta are not set yet. */
const BEFORE_CONTRIBUTION: Trapdoor = { ...DEVELOPMENT_TRAPDOOR, gamma: 1n, delta: 1n };

describe('development keys', function () {
  this.timeout(120_000);
  let curve: Bn128;
  let folder: string;
  let r1cs: R1cs;
  let r1csPath: string;
  let wasmPath: string;
  let ptauPath: string;
  let steps = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-keys-'));
    curve = await buildBn128(true);
    const compiled = await compileSource(SMALL_CIRCUIT, { level: 'O1', outputs: ['r1cs', 'wasm'] });
    r1csPath = join(compiled, 'circuit.r1cs');
    wasmPath = join(compiled, 'circuit.wasm');
    r1cs = parseR1cs(await readFile(r1csPath));
    const raw = join(folder, 'raw.ptau');
    ptauPath = join(folder, 'prepared.ptau');
    const exponent = domainExponentOf(r1cs) + EXTRA_POWER;
    await writePowersOfTau(await buildBn128(true), raw, { exponent, trapdoor: DEVELOPMENT_TRAPDOOR, prepared: false });
    await powersOfTau.preparePhase2(raw, ptauPath);
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await (globalThis as { curve_bn128?: Bn128 | null }).curve_bn128?.terminate();
  });

  async function write(trapdoor: Trapdoor, name: string): Promise<string> {
    const path = join(folder, name);
    await writeDevelopmentKey(curve, r1cs, trapdoor, path, () => steps++);
    return path;
  }

  it('equals the key of snarkjs on the same trapdoor, byte for byte, in sections 1 to 9', async () => {
    const ours = await readZkeySections(await write(BEFORE_CONTRIBUTION, 'ours.zkey'));
    const theirsPath = join(folder, 'theirs.zkey');
    await zKey.newZKey(r1csPath, ptauPath, theirsPath);
    const theirs = await readZkeySections(theirsPath);
    assert.deepEqual(new Set(ours.keys()), new Set(theirs.keys()));
    for (let section = 1; section <= 9; section++) {
      assert.ok(ours.get(section)!.length > 0, `section ${section} is not empty`);
      assert.ok(ours.get(section)!.equals(theirs.get(section)!), `section ${section} differs`);
    }
    assert.ok(steps > 0, 'progress is reported');
  });

  it('has gamma, delta and 1 all different, proves and verifies', async () => {
    const path = await write(DEVELOPMENT_TRAPDOOR, 'development.zkey');
    const key = await readVerificationKey(path);
    assert.notDeepEqual(key.vk_gamma_2, key.vk_delta_2);
    const { proof, publicSignals } = await groth16.fullProve(INPUT, wasmPath, path);
    assert.equal(await groth16.verify(key, publicSignals, proof), true);
    const changed = publicSignals.map((signal, i) => (i === 0 ? String(BigInt(signal) + 1n) : signal));
    assert.equal(await groth16.verify(key, changed, proof), false);
  });

  it('gives the verification key that snarkjs exports', async () => {
    const path = await write(DEVELOPMENT_TRAPDOOR, 'exported.zkey');
    const exported = (await zKey.exportVerificationKey(path)) as Record<string, unknown>;
    delete exported['vk_alphabeta_12'];
    assert.deepEqual(await readVerificationKey(path), exported);
  });

  it('is refused by snarkjs zkey verify, whatever gamma and delta are', async () => {
    for (const trapdoor of [DEVELOPMENT_TRAPDOOR, BEFORE_CONTRIBUTION]) {
      const path = await write(trapdoor, 'refused.zkey');
      assert.equal(await zKey.verifyFromR1cs(r1csPath, ptauPath, path), false);
    }
  });

  it('is the same on every run', async () => {
    const [one, two] = [await write(DEVELOPMENT_TRAPDOOR, 'one.zkey'), await write(DEVELOPMENT_TRAPDOOR, 'two.zkey')];
    assert.ok((await readFile(one)).equals(await readFile(two)));
  });

  it('multiplies generators as the curve library does', async () => {
    const random = new SeededRandom('fixed base');
    const scalars = [0n, 1n, 2n, FIELD_ORDER - 1n, (1n << 253n) - 1n, ...Array.from({ length: 20 }, () => random.field())];
    // A curve of its own: reserving memory makes the library's views stale.
    const library = await buildBn128(true);
    for (const [group, points] of [
      ['g1', library.G1],
      ['g2', library.G2],
    ] as const) {
      const bytes = points.F.n8 * 2;
      const products = new FixedBase(curve, group, 2 ** 12).multiply(scalars);
      for (const [i, scalar] of scalars.entries()) {
        const expected = points.toAffine(points.timesFr(points.g, library.Fr.e(scalar))).slice(0, bytes);
        assert.deepEqual(
          Buffer.from(products.subarray(i * bytes, (i + 1) * bytes)),
          Buffer.from(expected),
          `${group} times ${scalar}`,
        );
      }
    }
  });

  it('evaluates Lagrange polynomials that interpolate', () => {
    const point = 123456789123456789n;
    const values = Array.from({ length: 8 }, (_, i) => BigInt(i * i + 3));
    // A polynomial of degree 3 through its values on the domain of 8 elements.
    const polynomial = (x: bigint): bigint => reduce(5n + 7n * x + 11n * power(x, 2n) + 13n * power(x, 3n));
    const root = rootOfUnity(3);
    const onDomain = values.map((_, i) => polynomial(power(root, BigInt(i))));
    const sum = lagrangeAt(3, point, 0, 1).reduce((total, l, i) => total + l * onDomain[i]!, 0n);
    assert.equal(reduce(sum), polynomial(point));
    assert.deepEqual(
      lagrangeAt(3, point, 1, 2),
      lagrangeAt(3, point, 0, 1).filter((_, i) => i % 2 === 1),
    );
  });
});
