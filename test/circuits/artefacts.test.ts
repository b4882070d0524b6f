/** The shipping circuits as built: sizes, hashes, constants, one proof each; and what a damaged or foreign cache gets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bn128 } from 'ffjavascript';
import { groth16 } from 'snarkjs';
import { Field } from '@noble/curves/abstract/modular.js';
import { BASE8, curvePoint, SUBGROUP_ORDER, toJubPoint } from '#protocol/babyjub.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { emptySubtrees, ENCLAVE_TREE, RECEIPTS_TREE } from '#protocol/merkle.ts';
import { TAG } from '#protocol/tags.ts';
import { publishedPairsOf, SETTLEMENT_SIGNALS, signalListWithPairs } from '#protocol/terms.ts';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import { fileSha256, removeAbandoned } from '#circuits/build/build-circuit.ts';
import { withLock } from '#circuits/build/lock.ts';
import { settlementFamilyOf, vkHashOf } from '#circuits/build/verification-key.ts';
import {
  CIRCUIT_NAMES,
  circuitSpec,
  ensureCircuit,
  loadManifest,
  type CircuitManifest,
  type CircuitName,
} from '#circuits/manifest.ts';
import { settlementInputOf, toCircuitInput } from '#circuits/settlement-input.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import circuitsFile from '#circuits/circuits.json' with { type: 'json' };
import { sampleCases } from '#test/depth.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { makeSegment } from './fixtures.ts';

/** Snapshot: a change of these numbers changes keys, verifiers and families. */
const SIZES: Record<CircuitName, { constraints: number; wires: number; publicSignals: number }> = {
  'settlement-16': { constraints: 24269, wires: 24257, publicSignals: 8 },
  'settlement-64': { constraints: 65369, wires: 65453, publicSignals: 8 },
  'settlement-256': { constraints: 229769, wires: 230237, publicSignals: 8 },
  'settlement-proven-16': { constraints: 24333, wires: 24321, publicSignals: 40 },
};

/** The larger ones take up to minutes to build the first time. */
const BUILT: readonly CircuitName[] =
  process.env['STUN_CIRCUITS'] === 'all' ? CIRCUIT_NAMES : ['settlement-16', 'settlement-proven-16'];

async function circomText(file: string): Promise<string> {
  return readFile(join(REPOSITORY_ROOT, 'circuits', 'lib', file), 'utf8');
}

describe('circuit artefacts', function () {
  this.timeout(600_000);

  after(async () => {
    await (globalThis as { curve_bn128?: Bn128 | null }).curve_bn128?.terminate();
  });

  for (const name of BUILT) {
    it(`${name} is built as committed, has its size, proves and verifies`, async () => {
      const artefacts = await ensureCircuit(name);
      const manifest = await loadManifest(name);
      const { constraints, wires, publicSignals } = manifest;
      assert.deepEqual({ constraints, wires, publicSignals }, SIZES[name]);
      console.log(`      ${constraints} constraints, ${wires} wires`);
      assert.equal(artefacts.vkHash, vkHashOf(artefacts.verificationKey));
      assert.equal(artefacts.familyId, settlementFamilyOf(artefacts.n, artefacts.vkHash));
      assert.equal(artefacts.setup, 'development');

      const input = settlementInputOf(makeSegment(`proof of ${name}`, { count: artefacts.n }).segment);
      const calculator = await WitnessCalculator.load(artefacts.wasmPath);
      const witness = await calculator.calculateFile(toCircuitInput(input, artefacts));
      const { proof, publicSignals: signals } = await groth16.prove(artefacts.zkeyPath, witness);
      assert.deepEqual(
        signals,
        signalListWithPairs(input.signals, publishedPairsOf(input.jobs), artefacts.publishedPairs).map(String),
      );
      assert.equal(await groth16.verify(artefacts.verificationKey, signals, proof), true);
      for (const i of sampleCases([...signals.keys()], SETTLEMENT_SIGNALS.length)) {
        const changed = signals.map((signal, j) => (i === j ? String(BigInt(signal) + 1n) : signal));
        assert.equal(await groth16.verify(artefacts.verificationKey, changed, proof), false, `signal ${i}`);
      }
    });
  }

  it('names, main components and signals agree between circuits.json, sources and protocol', async () => {
    assert.deepEqual(Object.keys(circuitsFile.circuits), [...CIRCUIT_NAMES]);
    assert.deepEqual(circuitsFile.publicSignals, [...SETTLEMENT_SIGNALS]);
    for (const name of CIRCUIT_NAMES) {
      const spec = circuitSpec(name);
      const main = await readFile(join(REPOSITORY_ROOT, spec.main), 'utf8');
      assert.ok(main.includes(`Settlement(${spec.n}, ${spec.publishedPairs});`));
      const published = spec.publishedPairs === 0 ? [] : ['publishedInput', 'publishedOutput'];
      assert.ok(main.includes(`public [${[...SETTLEMENT_SIGNALS, ...published].join(', ')}]`));
      assert.equal((await loadManifest(name)).n, spec.n);
    }
    throwsCode(() => circuitSpec('settlement-17'), 'STUN_CIRCUIT_UNKNOWN');
  });

  it('tags, arities and empty subtrees of the circuit are those of the protocol', async () => {
    const tags = [...(await circomText('tags.circom')).matchAll(/function TAG_([A-Z_]+)\(\) \{\s*return (\d+);/g)];
    assert.deepEqual(Object.fromEntries(tags.map(([, name, value]) => [name!, BigInt(value!)])), {
      CHALLENGE: TAG.challenge,
      ORDER_ID: TAG.orderId,
      SIGNER_ID: TAG.signerId,
      LANE_GENESIS: TAG.laneGenesis,
      DEMAND_HEAD: TAG.demand,
      RECEIPT: TAG.receipt,
      RUNNING_STATEMENT: TAG.statement,
      ENCLAVE_LEAF: TAG.enclaveLeaf,
      ENCLAVE_NODE: TAG.enclaveNode,
      RECEIPTS_NODE: TAG.receiptsNode,
    });
    const receipts = await circomText('receipts-tree.circom');
    const numbers = [...receipts.matchAll(/^    return (\d+);/gm)].map(([, number]) => BigInt(number!));
    assert.deepEqual(numbers, [BigInt(RECEIPTS_TREE.arity), emptySubtrees(RECEIPTS_TREE)[1]]);
    assert.equal(RECEIPTS_TREE.depth, 2);
    assert.ok((await circomText('settlement.circom')).includes(`EnclaveRoot(${ENCLAVE_TREE.depth})`));
  });

  it('points and subgroup order of the signatures are what they are said to be', async () => {
    const numbers = [...(await circomText('multiples.circom')).matchAll(/^ {8}(\d{70,})/gm)].map(([, number]) => BigInt(number!));
    const digest = createHash('sha256').update('stun/settlement/start-point/v1/0').digest('hex');
    const y = BigInt(`0x${digest}`) % FIELD_ORDER;
    const field = Field(FIELD_ORDER);
    const root = field.sqrt(field.div(field.sub(1n, y * y), field.sub(168700n, 168696n * y * y)));
    const point = curvePoint({ x: root % 2n === 0n ? root : FIELD_ORDER - root, y }, 'start point');
    const start = toJubPoint(point.multiplyUnsafe(8n));
    const half = toJubPoint(BASE8.multiply((SUBGROUP_ORDER + 1n) / 2n));
    assert.deepEqual(numbers, [start.x, start.y, half.x, half.y]);
    assert.ok((await circomText('signature.circom')).includes(`return ${SUBGROUP_ORDER};`));
  });

  describe('in a cache that somebody touched', () => {
    let cacheDirectory: string;
    let directory: string;

    beforeEach(async () => {
      cacheDirectory = await mkdtemp(join(tmpdir(), 'stun-circuits-'));
      const artefacts = await ensureCircuit('settlement-16');
      const from = dirname(artefacts.zkeyPath);
      directory = join(cacheDirectory, (await loadManifest('settlement-16')).sourceHash);
      await cp(from, directory, { recursive: true });
    });

    afterEach(async () => {
      await rm(cacheDirectory, { recursive: true, force: true });
    });

    it('accepts an untouched copy without building', async () => {
      const steps: string[] = [];
      await ensureCircuit('settlement-16', { cacheDirectory, progress: (step) => steps.push(step) });
      assert.deepEqual(steps, []);
    });

    for (const file of ['circuit.r1cs', 'circuit.wasm', 'circuit.zkey', 'verification-key.json']) {
      it(`refuses a changed ${file}`, async () => {
        await appendFile(join(directory, file), ' ');
        await rejectsCode(ensureCircuit('settlement-16', { cacheDirectory }), 'STUN_CIRCUIT_ARTEFACT');
      });
    }

    it('refuses a missing file', async () => {
      await rm(join(directory, 'circuit.zkey'));
      await rejectsCode(ensureCircuit('settlement-16', { cacheDirectory }), 'STUN_CIRCUIT_ARTEFACT');
    });

    it('refuses a changed key although the manifest beside it agrees with it', async () => {
      await appendFile(join(directory, 'circuit.zkey'), ' ');
      const path = join(directory, 'manifest.json');
      const manifest = JSON.parse(await readFile(path, 'utf8')) as CircuitManifest;
      const sha256 = { ...manifest.sha256, zkey: await fileSha256(join(directory, 'circuit.zkey')) };
      await writeFile(path, JSON.stringify({ ...manifest, sha256 }));
      await rejectsCode(ensureCircuit('settlement-16', { cacheDirectory }), 'STUN_CIRCUIT_ARTEFACT');
    });
  });

  it('removes what killed builds of the same circuit left, and nothing else', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stun-abandoned-'));
    for (const name of ['a.building-17', 'a.building-18', 'a', 'a.lock', 'b.building-17']) await mkdir(join(folder, name));
    await removeAbandoned(join(folder, 'a'));
    assert.deepEqual(new Set(await readdir(folder)), new Set(['a', 'a.lock', 'b.building-17']));
    await rm(folder, { recursive: true });
  });

  describe('the build lock', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'stun-lock-'));
    });

    afterEach(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    it('lets one in at a time and is gone afterwards, also after a failure', async () => {
      const path = join(folder, 'a.lock');
      let inside = 0;
      let most = 0;
      let waited = 0;
      const enter = (): Promise<void> =>
        withLock(
          path,
          () => waited++,
          async () => {
            most = Math.max(most, ++inside);
            // Until both others have found it taken, however long the disk takes to show them.
            while (waited < 2) await new Promise((resolve) => setTimeout(resolve, 5));
            inside--;
          },
        );
      await Promise.all([enter(), enter(), enter()]);
      assert.equal(most, 1);
      assert.equal(waited, 2);
      await assert.rejects(
        withLock(
          path,
          () => {},
          () => Promise.reject(new Error('built badly')),
        ),
        /built badly/,
      );
      assert.deepEqual(await readdir(folder), []);
    });

    it('gives up on a process that holds it for too long', async () => {
      const path = join(folder, 'c.lock');
      const never = withLock(
        path,
        () => {},
        () =>
          withLock(
            path,
            () => {},
            () => Promise.resolve(),
            200,
          ),
      );
      await rejectsCode(never, 'STUN_CIRCUIT_LOCK');
    });

    it('takes over from a process that died', async () => {
      const path = join(folder, 'b.lock');
      await mkdir(folder, { recursive: true });
      // Larger than any process id that Linux gives.
      await writeFile(path, '4194305');
      assert.equal(
        await withLock(
          path,
          () => {},
          () => Promise.resolve('entered'),
        ),
        'entered',
      );
    });
  });
});
