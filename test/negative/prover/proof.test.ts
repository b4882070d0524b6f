/** Keys, witnesses and proofs with one thing wrong. One proof is made; every change to it has to be caught. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { ensureCircuit, loadManifest, type CircuitArtefacts } from '#circuits/manifest.ts';
import { FIELD_ORDER, fieldToHex, signalList } from '#protocol/index.ts';
import { loadArtefacts, loadCircuits, type ProvingArtefacts } from '#prover/artefacts.ts';
import { circuitInputOf } from '#prover/circuit-input.ts';
import { BACKEND_NAMES, type BackendName } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import type { SettlementProof, SettlementProver } from '#prover/interface.ts';
import { createProverOver, createSettlementProver } from '#prover/pool.ts';
import { provableSegment } from '#prover/segment.ts';
import { releaseProof } from '#prover/segment-prover.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { makeTask, type MadeTask } from '#test/unit/prover/task-fixture.ts';

const CIRCUIT = 'settlement-16';
const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const limits = { threads: 1, queueLimit: 2, taskTimeoutMs: 300_000, memoryLimitMb: 512, backend: 'auto' } as const;

describe('prover: keys, witnesses and proofs that are refused', function () {
  this.timeout(300_000);
  let circuit: CircuitArtefacts;
  let artefacts: ProvingArtefacts;
  let made: MadeTask;
  let prover: SettlementProver;
  let proof: SettlementProof;
  let directory: string;

  before(async () => {
    circuit = await ensureCircuit(CIRCUIT);
    [artefacts] = (await loadCircuits([CIRCUIT])) as [ProvingArtefacts];
    made = await makeTask(CIRCUIT, 3);
    prover = createProverOver([artefacts], limits);
    proof = await prover.prove(made.task);
    directory = await mkdtemp(join(tmpdir(), 'stun-prover-'));
  });

  after(async () => {
    await prover.close();
    await rm(directory, { recursive: true });
  });

  /** Where the points of A (section 5) begin in a key. */
  function pointsOfA(zkey: Uint8Array): number {
    const view = new DataView(zkey.buffer, zkey.byteOffset, zkey.byteLength);
    let offset = 12;
    while (view.getUint32(offset, true) !== 5) offset += 12 + Number(view.getBigUint64(offset + 4, true));
    return offset + 12;
  }

  /** A copy of the key with a change to the points of A. The first, of the constant wire, is used by every proof. */
  async function changedKey(change: (points: Uint8Array) => void): Promise<{ path: string; bytes: Uint8Array }> {
    const bytes = await readFile(circuit.zkeyPath);
    change(bytes.subarray(pointsOfA(bytes)));
    const path = join(directory, 'corrupt.zkey');
    await writeFile(path, bytes);
    return { path, bytes };
  }

  it('refuses to load a proving key with one flipped bit', async () => {
    const { path } = await changedKey((points) => void (points[0]! ^= 1));
    const { sha256 } = await loadManifest(CIRCUIT);
    await rejectsCode(loadArtefacts({ ...circuit, zkeyPath: path }, sha256), 'STUN_PROVER_KEY');
  });

  it('refuses to load a key that is not there', async () => {
    const { sha256 } = await loadManifest(CIRCUIT);
    await rejectsCode(loadArtefacts({ ...circuit, zkeyPath: join(directory, 'none') }, sha256), 'STUN_FILE');
  });

  it('holds back the proof of a wrong key that somebody vouched for, and retries nothing', async () => {
    // A point of the curve, but of another wire.
    const { path, bytes } = await changedKey((points) => points.copyWithin(0, 64, 128));
    const sha256 = { ...(await loadManifest(CIRCUIT)).sha256, zkey: createHash('sha256').update(bytes).digest('hex') };
    const wrong = createProverOver([await loadArtefacts({ ...circuit, zkeyPath: path }, sha256)], limits);
    try {
      await rejectsCode(wrong.prove(made.task), 'STUN_PROOF_INVALID');
      assert.equal(wrong.stats().retried, 0);
    } finally {
      await wrong.close();
    }
  });

  it('refuses an order of a family that is not loaded', async () => {
    const familyId = `0x${'77'.repeat(32)}`;
    const other = createProverOver([{ ...artefacts, familyId }], limits);
    try {
      await rejectsCode(other.prove(made.task), 'STUN_PROOF_FAMILY');
      await rejectsCode(other.verify(proof), 'STUN_PROOF_FAMILY');
    } finally {
      await other.close();
    }
  });

  it('refuses a segment that is longer than the circuit', async () => {
    const short = createProverOver([{ ...artefacts, n: 2 }], limits);
    try {
      await rejectsCode(short.prove(made.task), 'STUN_CIRCUIT_INPUT');
    } finally {
      await short.close();
    }
  });

  for (const { name: backend } of chooseBackends('auto').backends) {
    it(`refuses to start without memory for one proof by ${backend}, says how much that is, and starts with so much`, async () => {
      const start = (memoryLimitMb: number): SettlementProver =>
        createProverOver([artefacts], { ...limits, backend, memoryLimitMb });
      const reasonOf = (memoryLimitMb: number): string => {
        let reason = '';
        throwsCode(() => {
          try {
            start(memoryLimitMb);
          } catch (error) {
            reason = (error as Error).message;
            throw error;
          }
        }, 'STUN_PROVER_MEMORY');
        return reason;
      };
      assert.match(reasonOf(4), /keys and 1 threads take 1\d\d MB before any proof/);
      const needed = /by (\w+) takes \d+ MB.* (\d+) MB are needed, the limit is 140 MB$/.exec(reasonOf(140));
      assert.equal(needed?.[1], backend);
      const leastMb = Number(needed[2]);
      assert.match(reasonOf(leastMb - 1), new RegExp(` ${leastMb} MB are needed, the limit is ${leastMb - 1} MB$`));
      const least = start(leastMb);
      // What would do worse than the first with less memory is left out, and says why.
      const { fallbacks, unavailable } = least.stats().backend;
      for (const name of ['native', 'wasm', 'snarkjs'].filter((one) => one !== backend && !fallbacks.includes(one)))
        if (BACKEND_NAMES.indexOf(name as BackendName) > BACKEND_NAMES.indexOf(backend))
          assert.match(unavailable[name]!, /MB are needed/);
      await least.close();
    });
  }

  it('refuses a prover without a circuit, or of one that does not exist', async () => {
    await rejectsCode(createSettlementProver({ ...limits, circuits: [] }), 'STUN_CONFIG');
    await rejectsCode(createSettlementProver({ ...limits, circuits: ['settlement-17'] }), 'STUN_CIRCUIT_UNKNOWN');
  });

  it('refuses a witness of another circuit than the key', async () => {
    const input = circuitInputOf(provableSegment(made.task), artefacts);
    const witness = await WitnessCalculator.over(artefacts.calculator).calculateFile(input);
    const view = new DataView(witness.buffer, witness.byteOffset);
    view.setUint32(60, view.getUint32(60, true) - 1, true);
    for (const backend of chooseBackends('auto').backends)
      await rejectsCode(
        backend.prove(new Uint8Array(artefacts.zkey), witness, { threads: 1, memoryLimitMb: 512 }),
        'STUN_PROOF_WITNESS',
      );
  });

  describe('at the gate', () => {
    const flip = (hex: string): string => `${hex.slice(0, -1)}${(Number.parseInt(hex.at(-1)!, 16) ^ 1).toString(16)}`;

    it('releases the unchanged proof', () => {
      const signals = signalList(provableSegment(made.task).signals);
      assert.deepEqual(releaseProof(artefacts, { ...proof, signals }, signals), { a: proof.a, b: proof.b, c: proof.c });
    });

    for (let i = 0; i < 8; i++) {
      it(`refuses a proof whose signal ${i} is not that of the bundle`, () => {
        const expected = signalList(provableSegment(made.task).signals);
        const signals = expected.map((signal, k) => (k === i ? signal ^ 1n : signal));
        throwsCode(() => releaseProof(artefacts, { ...proof, signals }, expected), 'STUN_PROOF_INVALID');
        // The same when witness and bundle agree on the wrong signal: then the pairing refuses it.
        throwsCode(() => releaseProof(artefacts, { ...proof, signals }, signals), 'STUN_PROOF_INVALID');
      });
    }

    const points: readonly [string, (proof: SettlementProof) => void][] = [
      ['a.x', (one) => void (one.a[0] = flip(one.a[0]))],
      ['a.y', (one) => void (one.a[1] = flip(one.a[1]))],
      ['b.x', (one) => void (one.b[0][0] = flip(one.b[0][0]))],
      ['b.y', (one) => void (one.b[1][1] = flip(one.b[1][1]))],
      ['c.x', (one) => void (one.c[0] = flip(one.c[0]))],
      ['the sign of a', (one) => void (one.a[1] = `0x${(BASE_FIELD_ORDER - BigInt(one.a[1])).toString(16).padStart(64, '0')}`)],
      [
        'b in the other order of coordinates',
        (one) =>
          void (one.b = [
            [one.b[0][1], one.b[0][0]],
            [one.b[1][1], one.b[1][0]],
          ]),
      ],
      ['c exchanged for a', (one) => void (one.c = one.a)],
      ['a.x plus q', (one) => void (one.a[0] = `0x${(BASE_FIELD_ORDER + BigInt(one.a[0])).toString(16).padStart(64, '0')}`)],
      ['a at infinity', (one) => void (one.a = [fieldToHex(0n), fieldToHex(0n)])],
    ];
    for (const [what, change] of points) {
      it(`refuses a proof after one change: ${what}`, async () => {
        const changed = structuredClone(proof);
        change(changed);
        await rejectsCode(prover.verify(changed), 'STUN_PROOF_INVALID');
      });
    }

    it('refuses a proof under the name of another circuit', async () => {
      await rejectsCode(prover.verify({ ...proof, circuit: 'settlement-64' }), 'STUN_PROOF_FAMILY');
    });

    it('refuses a malformed proof', async () => {
      await rejectsCode(prover.verify({ ...proof, signals: proof.signals.slice(1) }), 'STUN_INPUT');
    });

    it('refuses a signal of r or more', async () => {
      const signals = [`0x${(FIELD_ORDER + 5n).toString(16).padStart(64, '0')}`, ...proof.signals.slice(1)];
      await rejectsCode(prover.verify({ ...proof, signals }), 'STUN_RANGE');
    });
  });
});
