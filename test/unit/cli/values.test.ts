import assert from 'node:assert/strict';
import {
  parseAddress,
  parseAmount,
  parseBudget,
  parseDuration,
  parseTime,
  parseWhole,
  parseWord,
  showAmount,
  showTime,
} from '#cli/values.ts';
import { throwsCode } from '#test/unit/assert-code.ts';

describe('values on the command line', () => {
  it('reads amounts in token units and in ether, exactly', () => {
    assert.equal(parseAmount('123', 'x'), 123n);
    assert.equal(parseAmount('0.5ether', 'x'), 5n * 10n ** 17n);
    assert.equal(parseAmount('1.000000000000000001ether', 'x'), 10n ** 18n + 1n);
    for (const bad of ['', '-1', '1.5', '1e3', '0x10', '1.ether', '1 ether', '.5ether', '1.0000000000000000001ether']) {
      throwsCode(() => parseAmount(bad, 'x'), 'STUN_INPUT');
    }
  });

  it('writes amounts that it reads again', () => {
    for (const amount of [0n, 1n, 10n ** 18n, 10n ** 18n + 10n ** 17n, 123456789n * 10n ** 10n + 1n]) {
      assert.equal(parseAmount(showAmount(amount).replace(' ', ''), 'x'), amount);
    }
  });

  it('reads durations and times', () => {
    assert.deepEqual(
      ['90', '90s', '2m', '3h', '7d'].map((text) => parseDuration(text, 'x')),
      [90, 90, 120, 10_800, 604_800],
    );
    assert.equal(parseTime('1d', 'x', 1000), 87_400);
    assert.equal(parseTime('1800000000', 'x', 1000), 1_800_000_000);
    for (const bad of ['', '1w', '-1s', '1.5h', 'soon']) throwsCode(() => parseDuration(bad, 'x'), 'STUN_INPUT');
  });

  it('reads whole numbers, addresses, words and budgets', () => {
    assert.equal(parseWhole('16', 'x', 1, 256), 16);
    for (const bad of ['0', '257', '1.0', 'x']) throwsCode(() => parseWhole(bad, 'x', 1, 256), 'STUN_INPUT');
    const address = `0x${'Ab'.repeat(20)}`;
    assert.equal(parseAddress(address, 'x'), address.toLowerCase());
    throwsCode(() => parseAddress('0x1', 'x'), 'STUN_INPUT');
    assert.equal(parseWord(`0x${'AB'.repeat(32)}`, 'x'), `0x${'ab'.repeat(32)}`);
    throwsCode(() => parseWord(address, 'x'), 'STUN_INPUT');
    assert.deepEqual(parseBudget(`${address}=5`), { provider: address.toLowerCase(), amount: 5n });
    for (const bad of ['', address, `${address}=`, `${address}=1=2`]) throwsCode(() => parseBudget(bad), 'STUN_INPUT');
  });

  it('shows times in UTC', () => {
    assert.equal(showTime(1_800_000_000), '2027-01-15T08:00:00Z');
  });
});
