/** As of when `stun settle` proves that an enclave was live. */
import assert from 'node:assert/strict';
import { provenAtUnix } from '../../../cli/commands/settle.ts';

describe('cli: the time of a proof for stun settle', () => {
  it('is now while the leaf stands, and the last second of it afterwards', () => {
    assert.equal(provenAtUnix(999, 1000), 999);
    assert.equal(provenAtUnix(1000, 1000), 999);
    assert.equal(provenAtUnix(4600, 1000), 999);
  });
});
