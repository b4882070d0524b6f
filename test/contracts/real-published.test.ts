/** A proven order with a real settlement proof that publishes its pairs. Properties P5 and P6 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { ProofPoints, PublishedSettlement } from '#chain/escrow.ts';
import { randomField } from '#protocol/index.ts';
import { answersTo, provenTerms, registerModel, type StageModel } from './published.ts';
import { openRealOrder, provePublishedSegment, serveSegment } from './real-segment.ts';
import { refuses, registerEnclave, restoreEachTest, startStage, type Stage } from './stage.ts';

describe('contracts: proven settlement with a real proof', function () {
  this.timeout(240_000);
  let stage: Stage;
  let model: StageModel;
  let batch: PublishedSettlement;
  let answers: ProofPoints[];
  before(async () => {
    stage = await startStage();
    const enclave = await registerEnclave(stage);
    model = await registerModel(stage);
    const order = await openRealOrder(stage, enclave, 16, { terms: provenTerms(stage, model) });
    batch = await provePublishedSegment(await serveSegment(stage, enclave, order, { jobs: 2, price: 100n }));
    answers = answersTo(model, batch);
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const settle = (changed: PublishedSettlement, proofs = answers) =>
    stage.as(stage.provider).escrow.settleProven(stage.funder.address, changed, proofs);

  it('pays for two jobs whose answers are proven', async () => {
    const { event } = await settle(batch);
    assert.deepEqual([event.total, event.credited, event.fee], [200n, 198n, 2n]);
    await refuses(settle(batch), 'LaneMoved');
  });

  it('refuses pairs that are not those of the jobs, though their inferences are proven', async () => {
    const [first, second] = batch.pairs;
    const lies: readonly (typeof batch.pairs)[] = [
      batch.pairs.with(0, { ...first!, outputCommitment: randomField() }),
      [second!, first!],
      [first!],
      [...batch.pairs, { inputCommitment: randomField(), outputCommitment: randomField() }],
    ];
    for (const pairs of lies) {
      const changed = { ...batch, pairs };
      await refuses(settle(changed, answersTo(model, changed)), 'ProofInvalid');
    }
  });
});
