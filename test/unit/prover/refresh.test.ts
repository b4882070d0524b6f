import assert from 'node:assert/strict';
import { fieldToHex, packPayee, SETTLEMENT_SIGNALS } from '#protocol/index.ts';
import { DEFAULT_REFRESH_RULE, freshnessOf } from '#prover/interface.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { NOW, PROVIDER } from '#test/unit/protocol/fixtures.ts';

const ROOT = fieldToHex(77n);

function proofOf(validAtUnix: number): { signals: string[] } {
  const payee = packPayee({ provider: PROVIDER, validAtUnix, laneIndex: 3 });
  const values: Partial<Record<(typeof SETTLEMENT_SIGNALS)[number], bigint>> = { enclaveRoot: 77n, payee };
  return { signals: SETTLEMENT_SIGNALS.map((name) => fieldToHex(values[name] ?? 1n)) };
}

describe('prover: freshness of a proof', () => {
  const chain = { nowUnix: NOW, frozenSeconds: 0, liveRoots: [fieldToHex(5n), ROOT] };

  it('calls a proof fresh up to the last second of the rule', () => {
    assert.equal(freshnessOf(proofOf(NOW), chain), 'fresh');
    assert.equal(freshnessOf(proofOf(NOW - DEFAULT_REFRESH_RULE.maxAgeSeconds), chain), 'fresh');
  });

  it('calls a proof too old one second later', () => {
    assert.equal(freshnessOf(proofOf(NOW - DEFAULT_REFRESH_RULE.maxAgeSeconds - 1), chain), 'too-old');
    assert.equal(freshnessOf(proofOf(NOW - DEFAULT_REFRESH_RULE.maxAgeSeconds - 1), { ...chain, frozenSeconds: 1 }), 'fresh');
  });

  it('has a proof made again whose root is no longer live', () => {
    assert.equal(freshnessOf(proofOf(NOW), { ...chain, liveRoots: [fieldToHex(5n)] }), 'root-not-live');
    assert.equal(freshnessOf(proofOf(NOW), { ...chain, liveRoots: [] }), 'root-not-live');
  });

  it('sees a time ahead of the newest block, which the contract would refuse', () => {
    assert.equal(freshnessOf(proofOf(NOW + 1), chain), 'from-the-future');
  });

  it('refuses signals that are not those of a settlement', () => {
    throwsCode(() => freshnessOf({ signals: [] }, chain), 'STUN_INPUT');
  });
});
