import assert from 'node:assert/strict';
import {
  assessTdx,
  collateralKeyOf,
  defaultPolicy,
  defaultTrustRoots,
  encodeTdxQuote,
  parseTdxCollateral,
  parseTdxQuote,
  verifyTdx,
} from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { assessWith, machine } from './simulated-fixture.ts';
import { intelCases } from './vector-cases.ts';

const cases = intelCases('tdx-v4-');

describe('real TDX v4 quotes', () => {
  it('are counted, and the simulated set runs with or without them', () => {
    assert.equal(assessWith({}).failure, null);
    assert.ok(cases.length === 0 || cases.length >= 20, `${cases.length} cases`);
    console.log(`      ${cases.length} real TDX v4 cases`);
  });

  for (const vector of cases) {
    describe(vector.name, () => {
      const quote = parseTdxQuote(vector.quote);
      const collateral = parseTdxCollateral(vector.collateral);
      const at = (atUnix: number): ReturnType<typeof verifyTdx> => verifyTdx(quote, collateral, atUnix, defaultTrustRoots);

      it('gives the status, parts, advisories and date of a correct verifier', () => {
        const verified = at(vector.verifyAt);
        const { tcbStatus, platform, module, qe, advisoryIds, tcbDate } = verified;
        assert.deepEqual({ tcbStatus, platform, module, qe, advisoryIDs: advisoryIds, tcbDate }, vector.expected);
        assert.equal(verified.debug, vector.debug);
        assert.equal(verified.trailingBytes, vector.trailingBytes);
        assert.equal(toHex(verified.fmspc), `0x${vector.fmspc}`);
        assert.equal(verified.simulated, false);
        assert.equal(verified.collateralExpiresAtUnix, vector.window[1]);
        assert.equal(verified.hardwareId.length, 16);
      });

      it('is encoded back to its own bytes, trailing ones aside', () => {
        const end = vector.quote.length - vector.trailingBytes;
        assert.deepEqual(encodeTdxQuote({ ...quote, trailingBytes: 0 }), vector.quote.subarray(0, end));
      });

      it('verifies at both ends of its window and not a second outside', () => {
        at(vector.window[0]);
        at(vector.window[1]);
        const early = [
          'STUN_TCB_INFO_NOT_YET_VALID',
          'STUN_QE_IDENTITY_NOT_YET_VALID',
          'STUN_CRL_NOT_YET_VALID',
          'STUN_CERTIFICATE_NOT_YET_VALID',
        ];
        const late = ['STUN_TCB_INFO_EXPIRED', 'STUN_QE_IDENTITY_EXPIRED', 'STUN_CRL_EXPIRED', 'STUN_CERTIFICATE_EXPIRED'];
        const code = (atUnix: number): string =>
          assessTdx({
            quote: vector.quote,
            collateral: vector.collateral,
            atUnix,
            roots: defaultTrustRoots,
            policy: defaultPolicy,
          }).failure?.code ?? 'none';
        assert.ok(early.includes(code(vector.window[0] - 1)), code(vector.window[0] - 1));
        assert.ok(late.includes(code(vector.window[1] + 1)), code(vector.window[1] + 1));
      });

      it('is refused under another root', () => {
        const stranger = assessTdx({
          quote: vector.quote,
          collateral: vector.collateral,
          atUnix: vector.verifyAt,
          roots: [],
          policy: defaultPolicy,
        });
        assert.equal(stranger.failure?.code, 'STUN_ROOT_UNTRUSTED');
      });

      it('is accepted by the default policy only when it is current, not in debug mode and has SEPT_VE_DISABLE', () => {
        const good =
          vector.expected.tcbStatus === 'UpToDate' && !vector.debug && ((quote.body.tdAttributes[3] ?? 0) & 0x10) !== 0;
        const { validated, failure } = assessTdx({
          quote: vector.quote,
          collateral: vector.collateral,
          atUnix: vector.verifyAt,
          roots: defaultTrustRoots,
          policy: defaultPolicy,
        });
        assert.equal(validated, good, failure?.message);
      });
    });
  }

  it('are refused with the TCB Info of another platform', () => {
    const pairs = cases.flatMap((vector) =>
      cases
        .filter(
          (other) => other.fmspc !== vector.fmspc && other.window[0] <= vector.verifyAt && vector.verifyAt <= other.window[1],
        )
        .map((other) => ({ vector, other })),
    );
    for (const { vector, other } of pairs) {
      const collateral = { ...parseTdxCollateral(vector.collateral), tcbInfo: parseTdxCollateral(other.collateral).tcbInfo };
      throwsCode(
        () => verifyTdx(parseTdxQuote(vector.quote), collateral, vector.verifyAt, defaultTrustRoots),
        'STUN_TCB_INFO_PLATFORM',
      );
    }
    assert.ok(cases.length === 0 || pairs.length > 0, `${pairs.length} pairs`);
    console.log(`      ${pairs.length} pairs of platforms`);
  });

  it('are refused with the QE identity of SGX', () => {
    const sgx = intelCases('sgx-v3-');
    const pairs = cases.flatMap((vector) =>
      sgx
        .filter((other) => other.window[0] <= vector.verifyAt && vector.verifyAt <= other.window[1])
        .map((other) => ({ vector, other })),
    );
    for (const { vector, other } of pairs) {
      const collateral = {
        ...parseTdxCollateral(vector.collateral),
        qeIdentity: parseTdxCollateral(other.collateral).qeIdentity,
      };
      throwsCode(
        () => verifyTdx(parseTdxQuote(vector.quote), collateral, vector.verifyAt, defaultTrustRoots),
        'STUN_QE_IDENTITY_KIND',
      );
    }
    assert.ok(cases.length === 0 || pairs.length > 0, `${pairs.length} pairs`);
    console.log(`      ${pairs.length} pairs of quote and SGX identity`);
  });

  it('are told from other quotes by version and TEE type', () => {
    for (const vector of intelCases('tdx-v5-')) throwsCode(() => parseTdxQuote(vector.quote), 'STUN_QUOTE_VERSION');
    for (const vector of intelCases('sgx-v3-')) throwsCode(() => parseTdxQuote(vector.quote), 'STUN_QUOTE_VERSION');
    const sgx = machine({ quoteChanges: { header: { teeType: JSON.parse('0') as 0x81 } } }).quote(new Uint8Array(64));
    throwsCode(() => parseTdxQuote(sgx), 'STUN_QUOTE_TEE_TYPE');
  });

  it('name the collateral to fetch', () => {
    for (const vector of cases)
      assert.deepEqual(collateralKeyOf(parseTdxQuote(vector.quote)), { fmspc: vector.fmspc, pckCa: 'platform' });
    const made = (issuer: string): ReturnType<typeof parseTdxQuote> =>
      parseTdxQuote(machine({ quoteChanges: { pck: { issuer } } }).quote(new Uint8Array(64)));
    assert.deepEqual(collateralKeyOf(made('Intel SGX PCK Processor CA')), { fmspc: '53494d000001', pckCa: 'processor' });
    throwsCode(() => collateralKeyOf(made('Somebody')), 'STUN_CHAIN_NAMES');
  });
});
