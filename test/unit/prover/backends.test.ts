/** Which backend proves, and what happens when one fails. */
import assert from 'node:assert/strict';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { BackendName, Groth16Backend, MadeProof } from '#prover/backend.ts';
import { backendWishOf, chooseBackends } from '#prover/backends.ts';
import { BackendFailed, releasedBy } from '#prover/retry-backends.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';

const MADE: MadeProof = {
  a: ['0x1', '0x2'],
  b: [
    ['0x1', '0x2'],
    ['0x3', '0x4'],
  ],
  c: ['0x1', '0x2'],
  signals: [7n],
};

function backendOf(name: BackendName, prove: () => Promise<MadeProof>): Groth16Backend {
  return {
    name,
    engine: 'of a test',
    mostThreads: 1,
    leavesGarbage: false,
    measure: () => ({ keyBytes: 0, proofBytes: () => 0 }),
    prove,
  };
}

const make = (backend: Groth16Backend): Promise<MadeProof> =>
  backend.prove(new Uint8Array(0), new Uint8Array(0), { threads: 1, memoryLimitMb: 1 });

describe('prover: choice of backends', () => {
  const onLinux = process.platform === 'linux' && process.arch === 'x64';

  it('takes what the environment asks for, and the fastest when it asks for nothing', () => {
    assert.equal(backendWishOf({}), 'auto');
    assert.equal(backendWishOf({ STUN_PROVER_BACKEND: 'snarkjs' }), 'snarkjs');
    throwsCode(() => backendWishOf({ STUN_PROVER_BACKEND: 'rapidsnark' }), 'STUN_CONFIG');
  });

  it('puts the wished backend first and keeps the slower ones behind it', () => {
    const names = chooseBackends('auto').backends.map((backend) => backend.name);
    assert.deepEqual(names, onLinux ? ['native', 'wasm', 'snarkjs'] : ['wasm', 'snarkjs']);
    assert.deepEqual(
      chooseBackends('wasm').backends.map((backend) => backend.name),
      ['wasm', 'snarkjs'],
    );
    assert.deepEqual(
      chooseBackends('snarkjs').backends.map((backend) => backend.name),
      ['snarkjs'],
    );
  });
});

describe('prover: a backend that fails', () => {
  const good = backendOf('snarkjs', () => Promise.resolve(MADE));
  const release = (made: MadeProof): readonly bigint[] => {
    if (made.signals[0] !== 7n) throw new StunError('STUN_PROOF_INVALID', 'wrong on purpose');
    return made.signals;
  };

  it('is not followed by another when it does not fail', async () => {
    const never = backendOf('snarkjs', () => assert.fail('the first was good enough'));
    const proof = await releasedBy([{ ...good, name: 'native' }, never], 0, make, release);
    assert.deepEqual(proof, { released: [7n], madeBy: 'native', failed: [] });
  });

  it('is followed by the next when its proof does not verify or when it breaks', async () => {
    const wrong = backendOf('native', () => Promise.resolve({ ...MADE, signals: [8n] }));
    const broken = backendOf('native', () => Promise.reject(new TypeError('broken on purpose')));
    const all = [wrong, broken, good];
    for (const place of [0, 1]) await assert.rejects(releasedBy(all, place, make, release), BackendFailed);
    const proof = await releasedBy(all, 2, make, release);
    assert.deepEqual(proof, { released: [7n], madeBy: 'snarkjs', failed: ['native', 'native'] });
    await rejectsCode(releasedBy([broken, wrong], 1, make, release), 'STUN_PROOF_INVALID');
  });

  for (const code of ['STUN_PROVER_KEY', 'STUN_PROOF_WITNESS', 'STUN_PROVER_MEMORY', 'STUN_PROVER_ABORTED'] as const) {
    it(`is not followed by another when the fault is not its own: ${code}`, async () => {
      const refusing = backendOf('native', () => Promise.reject(new StunError(code, 'refused on purpose')));
      await rejectsCode(releasedBy([refusing, good], 0, make, release), code);
    });
  }

  it('is not asked for at a place where there is none', async () => {
    await rejectsCode(releasedBy([good], 1, make, release), 'STUN_INTERNAL');
  });
});
