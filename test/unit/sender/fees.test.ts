import assert from 'node:assert/strict';
import fc from 'fast-check';
import { firstOffer, raisedOffer } from '#chain/sender/fees.ts';

const wei = fc.bigInt({ min: 0n, max: 10n ** 15n });

describe('sender: fees', () => {
  it('offers twice the base fee and the priority fee', () => {
    assert.deepEqual(firstOffer({ baseFeePerGas: 100n, priorityFee: 7n }, 1000n), {
      maxFeePerGas: 207n,
      maxPriorityFeePerGas: 7n,
    });
  });

  it('offers nothing while the chain asks more than the cap, and the cap itself just below', () => {
    assert.equal(firstOffer({ baseFeePerGas: 100n, priorityFee: 7n }, 106n), undefined);
    assert.deepEqual(firstOffer({ baseFeePerGas: 100n, priorityFee: 7n }, 107n), {
      maxFeePerGas: 107n,
      maxPriorityFeePerGas: 7n,
    });
  });

  it('raises both fees by at least a tenth and never over the cap', () => {
    fc.assert(
      fc.property(wei, wei, wei, wei, wei, (maxFee, tip, baseFeePerGas, priorityFee, cap) => {
        const previous = { maxFeePerGas: maxFee + tip, maxPriorityFeePerGas: tip };
        const offer = raisedOffer(previous, { baseFeePerGas, priorityFee }, cap);
        if (offer === undefined) {
          const mustPay = previous.maxFeePerGas + previous.maxFeePerGas / 8n;
          assert.ok(mustPay > cap - 1n || tip + tip / 8n + 1n > cap || priorityFee > cap);
          return;
        }
        assert.ok(offer.maxFeePerGas <= cap && offer.maxPriorityFeePerGas <= offer.maxFeePerGas);
        assert.ok(10n * offer.maxFeePerGas >= 11n * previous.maxFeePerGas);
        assert.ok(10n * offer.maxPriorityFeePerGas >= 11n * previous.maxPriorityFeePerGas);
      }),
      { numRuns: 500 },
    );
  });
});
