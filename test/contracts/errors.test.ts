/** The errors of the contracts and their codes. */
import assert from 'node:assert/strict';
import { Interface } from 'ethers';
import { artifacts, type Artifact } from '#chain/artifacts.ts';
import { chainErrorOf, solidityErrorCodes, solidityErrorOf } from '#chain/errors.ts';
import { isErrorCode, StunError } from '#protocol/index.ts';
import { expectedErrors } from './error-codes.ts';

const { OrderEscrow, ChallengeCourt, EnclaveRegistry, VerifierRouter, ModelRegistry } = artifacts;
const contracts = [OrderEscrow, ChallengeCourt, EnclaveRegistry, VerifierRouter, ModelRegistry] as const;
const errorNames = ({ abi }: Artifact): string[] =>
  abi.flatMap((entry) => (entry.type === 'error' && entry.name !== undefined ? [entry.name] : []));
const declared = new Set(contracts.flatMap(errorNames));
/** Errors that only OpenZeppelin's code for strings declares and no call of ours can reach. */
const unreachable = new Set(['InvalidShortString', 'StringTooLong']);

describe('contracts: errors', () => {
  it('has a code for every custom error of the contracts', () => {
    const missing = [...declared].filter((name) => !Object.hasOwn(solidityErrorCodes, name) && !unreachable.has(name));
    assert.deepEqual(missing, []);
    assert.ok(declared.size > 80, `only ${declared.size} errors were found`);
  });

  it('maps only to codes of the registry, and only errors that exist', () => {
    const token = new Set(errorNames(artifacts.StunToken));
    for (const [name, code] of Object.entries(solidityErrorCodes)) {
      assert.ok(isErrorCode(code), code);
      assert.ok(declared.has(name) || token.has(name), `${name} is declared by no contract`);
    }
  });

  it('tells callers the codes that are promised for each error', () => {
    const byCode: Record<string, string[]> = {};
    for (const [name, code] of Object.entries(solidityErrorCodes)) (byCode[code] ??= []).push(name);
    for (const names of Object.values(byCode)) names.sort();
    assert.deepEqual(byCode, expectedErrors);
  });

  it('gives no two errors the same selector', () => {
    const all = contracts.flatMap(({ abi }) => {
      const parsed = new Interface(abi);
      return parsed.fragments.filter((one) => one.type === 'error').map((one) => one.format('sighash'));
    });
    const selectors = new Map<string, string>();
    for (const signature of all) {
      const selector = new Interface([`error ${signature}`]).getError(signature)!.selector;
      assert.equal(selectors.get(selector) ?? signature, signature);
      selectors.set(selector, signature);
    }
    assert.ok(selectors.size > 80);
  });

  it('reads the error out of nested node answers, and never out of text', () => {
    const data = new Interface(artifacts.OrderEscrow.abi).encodeErrorResult('LaneMoved', [1n, 2n]);
    const nested = { info: { error: { data: { data } } } };
    assert.deepEqual(solidityErrorOf(nested), { name: 'LaneMoved', args: ['1', '2'] });
    const thrown = chainErrorOf(nested, 'settle');
    assert.equal(thrown.code, 'STUN_SETTLE_LANE_MOVED');
    assert.deepEqual(thrown.details, { solidityError: 'LaneMoved', args: ['1', '2'] });
    assert.equal(solidityErrorOf(new Error('LaneMoved(1, 2)')), undefined);
    assert.equal(solidityErrorOf({ data: '0xdeadbeef' }), undefined);
  });

  it('names transport failures by who must act', () => {
    const codes = [
      ['ECONNREFUSED', 'STUN_CHAIN_UNAVAILABLE'],
      ['TIMEOUT', 'STUN_CHAIN_UNAVAILABLE'],
      ['UNKNOWN_ERROR', 'STUN_CHAIN_NODE'],
      ['INSUFFICIENT_FUNDS', 'STUN_CHAIN_FUNDS'],
      ['NONCE_EXPIRED', 'STUN_CHAIN_NONCE'],
      ['REPLACEMENT_UNDERPRICED', 'STUN_CHAIN_NONCE'],
      ['CALL_EXCEPTION', 'STUN_CHAIN_REVERTED'],
      ['BAD_DATA', 'STUN_CHAIN_DEPLOYMENT'],
      ['SOMETHING_ELSE', 'STUN_INTERNAL'],
    ] as const;
    for (const [code, expected] of codes) {
      assert.equal(chainErrorOf(Object.assign(new Error('x'), { code }), 'call').code, expected);
    }
    const own = new StunError('STUN_INPUT', 'kept');
    assert.equal(chainErrorOf(own, 'call'), own);
  });
});
