import assert from 'node:assert/strict';
import fc from 'fast-check';
import { receiptsRootOf, statementOver, type Receipt } from '#protocol/index.ts';
import { Lane } from '#worker/lane.ts';
import { ReceiptsFrontier } from '#worker/receipts-frontier.ts';
import { throwsCode } from '../../unit/assert-code.ts';
import { makeOrder, PROVIDER } from '../../unit/protocol/fixtures.ts';
import { sampleSeed } from '../../depth.ts';

const hash = fc.bigInt({ min: 0n, max: 2n ** 253n });

describe('the growing receipts tree', function () {
  this.timeout(120_000);

  it('has the root of the tree that is made at once, after every receipt', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 20 }), (hashes) => {
        let frontier = ReceiptsFrontier.empty();
        assert.equal(frontier.root, receiptsRootOf([]));
        for (const [i, one] of hashes.entries()) {
          frontier = frontier.append(one);
          assert.equal(frontier.count, i + 1);
        }
        assert.equal(frontier.root, receiptsRootOf(hashes));
      }),
      { numRuns: 25, seed: sampleSeed() },
    );
  });

  it('is right at every length up to the full tree and refuses one more', () => {
    const hashes = Array.from({ length: 256 }, (_, i) => BigInt(i + 1));
    let frontier = ReceiptsFrontier.empty();
    for (const [i, one] of hashes.entries()) {
      frontier = frontier.append(one);
      if ([1, 2, 3, 16, 17, 64, 127, 128, 255, 256].includes(i + 1))
        assert.equal(frontier.root, receiptsRootOf(hashes.slice(0, i + 1)));
    }
    throwsCode(() => frontier.append(1n), 'STUN_RANGE');
  });

  it('gives a lane the statement over its receipts', () => {
    const order = makeOrder();
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, fc.boolean()), { minLength: 1, maxLength: 12 }), (jobs) => {
        const id = { orderId: order.orderId, provider: PROVIDER, laneIndex: 0 };
        const lane = new Lane(id, order, {
          signerId: 1n,
          policyId: 1n,
          provider: PROVIDER,
          hardwareIdHash: 1n,
          expiresAtUnix: 1,
        });
        const from = lane.view.head;
        const receipts = jobs.map(([demandHead, served]): Receipt => {
          const status = served ? 'served' : 'failed';
          return {
            demandHead,
            outputCommitment: 2n,
            price: served ? 700n : 0n,
            deliveryDigest: 3n,
            status,
            startedAtUnix: 1,
            finishedAtUnix: 2,
          };
        });
        for (const [i, receipt] of receipts.entries()) {
          const prepared = lane.prepare(receipt);
          assert.deepEqual(prepared.statement, statementOver(from, order.opening.modelId, receipts.slice(0, i + 1)));
          lane.commit(prepared);
        }
        assert.deepEqual(lane.view, { k: jobs.length, head: receipts.at(-1)!.demandHead, signerId: 1n });
      }),
      { numRuns: 15, seed: sampleSeed() },
    );
  });
});
