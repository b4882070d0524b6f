/** A proven order over a compiled model, with a real settlement proof that publishes its pairs and real inference proofs. P5 and P6 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { PublishedSettlement } from '#chain/escrow.ts';
import { provenTerms } from './published.ts';
import { proveInferences, registerAdopted, type ProvenInference } from './real-model.ts';
import { openRealOrder, provePublishedSegment, serveSegment } from './real-segment.ts';
import { refuses, registerEnclave, restoreEachTest, startStage, type Stage } from './stage.ts';

describe('contracts: proven settlement with real proofs', function () {
  this.timeout(240_000);
  let stage: Stage;
  let batch: PublishedSettlement;
  let served: ProvenInference[];
  let other: ProvenInference;
  before(async () => {
    [other, ...served] = (await proveInferences([
      [1, 2, 3, 4],
      [9, 200, 0, 77],
      [0, 0, 0, 0],
    ])) as [ProvenInference, ...ProvenInference[]];
    stage = await startStage();
    const enclave = await registerEnclave(stage);
    const order = await openRealOrder(stage, enclave, 16, { terms: provenTerms(stage, await registerAdopted(stage)) });
    const commitments = served.map(({ pair }) => pair);
    batch = await provePublishedSegment(await serveSegment(stage, enclave, order, { jobs: 2, price: 100n, commitments }));
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const settle = (inferences: readonly ProvenInference[], pairs = batch.pairs) =>
    stage.as(stage.provider).escrow.settleProven(
      stage.funder.address,
      { ...batch, pairs },
      inferences.map(({ answer }) => answer),
    );

  it('pays for two jobs whose answers are proven', async () => {
    const { event } = await settle(served);
    assert.deepEqual([event.total, event.credited, event.fee], [200n, 198n, 2n]);
    await refuses(settle(served), 'LaneMoved');
  });

  it('refuses the proof of another inference in place of one of them', async () => {
    await refuses(settle([served[0]!, other]), 'InferenceProofInvalid');
    await refuses(settle(served.toReversed()), 'InferenceProofInvalid');
  });

  it('refuses pairs that are not those of the jobs, though their inferences are proven', async () => {
    const [first, second] = served as [ProvenInference, ProvenInference];
    for (const lie of [[other, second], [second, first], [first], [first, second, other]]) {
      const pairs = lie.map(({ pair }) => pair);
      await refuses(settle(lie, pairs), 'ProofInvalid');
    }
  });
});
