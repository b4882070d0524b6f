import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { NamedTensor } from '#protocol/index.ts';
import type { Offer } from '#worker/enclave.ts';
import { isFiniteTensor } from '#worker/model/check-inputs.ts';
import { sampleSeed } from '../../depth.ts';
import { makeWorld } from '../../unit/worker/fixtures.ts';

const echo: Offer['runner'] = {
  file: { modelPath: '', modelSha256: '0x', modelId: 7n, manifest: {} as never },
  run: (tensors) => Promise.resolve(tensors),
};

describe('what reaches a worker', function () {
  this.timeout(120_000);

  it('is finite exactly when JavaScript says so', () => {
    const cases = [
      { dtype: 'float32', of: (values: number[]) => Float32Array.from(values) },
      { dtype: 'float64', of: (values: number[]) => Float64Array.from(values) },
    ] as const;
    for (const { dtype, of } of cases) {
      fc.assert(
        fc.property(fc.array(fc.double(), { maxLength: 6 }), (values) => {
          const data = of(values);
          const tensor: NamedTensor = { name: 'x', dtype, dims: [values.length], data: new Uint8Array(data.buffer) };
          assert.equal(isFiniteTensor(tensor), data.every(Number.isFinite));
        }),
        { seed: sampleSeed() },
      );
    }
  });

  it('knows the infinities and NaNs of half precision', () => {
    for (let bits = 0; bits < 65_536; bits++) {
      const data = Uint8Array.of(bits & 255, bits >> 8);
      assert.equal(isFiniteTensor({ name: 'x', dtype: 'float16', dims: [1], data }), ((bits >> 10) & 31) !== 31, String(bits));
    }
  });

  it('is declined, with nothing signed or stored, when any byte of the ciphertext is another', async () => {
    const world = await makeWorld(echo);
    const sent = await world.customer.next();
    const codes = new Set(['STUN_ENVELOPE_OPEN', 'STUN_ENVELOPE_LAYOUT']);
    await fc.assert(
      fc.asyncProperty(fc.nat(sent.envelope.length - 1), fc.integer({ min: 1, max: 255 }), async (offset, mask) => {
        const envelope = sent.envelope.slice();
        envelope[offset]! ^= mask;
        const outcome = await world.serve({ ...sent, envelope });
        assert.ok(outcome.kind === 'declined' && codes.has(outcome.code), `byte ${offset}`);
        assert.equal(world.enclave.store.segments().length, 0);
      }),
      { numRuns: 60, seed: sampleSeed() },
    );
    assert.equal((await world.serve(sent)).kind, 'receipted', 'the unchanged one is served');
    world.close();
  });
});
