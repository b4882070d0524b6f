import assert from 'node:assert/strict';
import {
  assessTdx,
  collateralKeyOf,
  defaultPolicy,
  defaultTrustRoots,
  encodeIntelQuote,
  parseIntelCollateral,
  parseIntelQuote,
  parseSgxQuote,
  parseTdxQuote,
  verifySgx,
  verifyTdx,
} from '#attestation/index.ts';
import type { IntelCollateral, VerifiedSgx, VerifiedTdx } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { throwsCode } from '../assert-code.ts';
import { assessWith, machine } from './simulated-fixture.ts';
import { intelCases } from './vector-cases.ts';

const cases = intelCases('');
const tdx = cases.filter((vector) => vector.name.startsWith('tdx-'));
const sgx = cases.filter((vector) => vector.name.startsWith('sgx-'));

/** Verifies a quote of either kind. */
function verify(bytes: Uint8Array, collateral: IntelCollateral, atUnix: number): VerifiedTdx | VerifiedSgx {
  return parseIntelQuote(bytes).body.type === 1
    ? verifySgx(parseSgxQuote(bytes), collateral, atUnix, defaultTrustRoots)
    : verifyTdx(parseTdxQuote(bytes), collateral, atUnix, defaultTrustRoots);
}

/** The code with which verification refuses. */
function refusal(body: () => unknown): string {
  try {
    body();
    return 'none';
  } catch (thrown) {
    return thrown instanceof StunError ? thrown.code : String(thrown);
  }
}

describe('real quotes of Intel hardware', () => {
  it('are counted, and the simulated set runs with or without them', () => {
    assert.equal(assessWith({}).failure, null);
    assert.ok(cases.length === 0 || cases.length === 40, `${cases.length} cases`);
    console.log(`      ${cases.length} real cases: ${tdx.length} of TDX, ${sgx.length} of SGX`);
  });

  for (const vector of cases) {
    describe(vector.name, () => {
      const collateral = parseIntelCollateral(vector.collateral);
      const at = (atUnix: number): VerifiedTdx | VerifiedSgx => verify(vector.quote, collateral, atUnix);

      it('gives the status, parts, advisories and date of a correct verifier', () => {
        const verified = at(vector.verifyAt);
        const { tcbStatus, platform, module, qe, advisoryIds, tcbDate } = verified;
        assert.deepEqual({ tcbStatus, platform, module, qe, advisoryIDs: advisoryIds, tcbDate }, vector.expected);
        assert.equal(verified.debug, vector.debug);
        assert.equal(verified.trailingBytes, vector.trailingBytes);
        assert.equal(toHex(verified.fmspc), `0x${vector.fmspc}`);
        assert.equal(verified.simulated, false);
        assert.equal(verified.collateralExpiresAtUnix, vector.window[1]);
        assert.equal(verified.collateralOverdueSeconds, 0);
        assert.equal(verified.hardwareId.length, 16);
        const { header, body } = parseIntelQuote(vector.quote);
        assert.deepEqual([header.version, header.version === 5 ? body.type : null], [vector.quoteVersion, vector.bodyType]);
        assert.equal(verified.kind, vector.teeType.toLowerCase());
      });

      it('is encoded back to its own bytes, trailing ones aside', () => {
        const end = vector.quote.length - vector.trailingBytes;
        const encoded = encodeIntelQuote({ ...parseIntelQuote(vector.quote), trailingBytes: 0 });
        assert.deepEqual(encoded, vector.quote.subarray(0, end));
      });

      it('verifies at both ends of its window and not a second outside', () => {
        at(vector.window[0]);
        at(vector.window[1]);
        const early = ['TCB_INFO', 'QE_IDENTITY', 'CRL', 'CERTIFICATE'].map((what) => `STUN_${what}_NOT_YET_VALID`);
        const late = ['TCB_INFO', 'QE_IDENTITY', 'CRL', 'CERTIFICATE'].map((what) => `STUN_${what}_EXPIRED`);
        assert.ok(early.includes(refusal(() => at(vector.window[0] - 1))));
        assert.ok(late.includes(refusal(() => at(vector.window[1] + 1))));
      });

      it('gives the same with collateral that was used before and with fresh collateral', () => {
        const fresh = verify(vector.quote, parseIntelCollateral(vector.collateral), vector.verifyAt);
        assert.deepEqual(at(vector.verifyAt), fresh);
      });

      it('is refused under another root', () => {
        const stranger = (): unknown =>
          parseIntelQuote(vector.quote).body.type === 1
            ? verifySgx(parseSgxQuote(vector.quote), collateral, vector.verifyAt, [])
            : verifyTdx(parseTdxQuote(vector.quote), collateral, vector.verifyAt, []);
        throwsCode(stranger, 'STUN_ROOT_UNTRUSTED');
      });
    });
  }

  for (const vector of tdx) {
    describe(vector.name, () => {
      const quote = parseTdxQuote(vector.quote);

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
          (other) =>
            other.teeType === vector.teeType &&
            other.fmspc !== vector.fmspc &&
            other.window[0] <= vector.verifyAt &&
            vector.verifyAt <= other.window[1],
        )
        .map((other) => ({ vector, other })),
    );
    for (const { vector, other } of pairs) {
      const collateral = { ...parseIntelCollateral(vector.collateral), tcbInfo: parseIntelCollateral(other.collateral).tcbInfo };
      throwsCode(() => verify(vector.quote, collateral, vector.verifyAt), 'STUN_TCB_INFO_PLATFORM');
    }
    assert.ok(cases.length === 0 || pairs.length > 0, `${pairs.length} pairs`);
    console.log(`      ${pairs.length} pairs of platforms`);
  });

  it('are refused with the QE identity or TCB Info of the other kind', () => {
    const pairs = [
      ...tdx.flatMap((vector) => sgx.map((other) => [vector, other] as const)),
      ...sgx.flatMap((vector) => tdx.map((other) => [vector, other] as const)),
    ].filter(([vector, other]) => other.window[0] <= vector.verifyAt && vector.verifyAt <= other.window[1]);
    for (const [vector, other] of pairs) {
      const own = parseIntelCollateral(vector.collateral);
      const foreign = parseIntelCollateral(other.collateral);
      const withIdentity = { ...own, qeIdentity: foreign.qeIdentity };
      throwsCode(() => verify(vector.quote, withIdentity, vector.verifyAt), 'STUN_QE_IDENTITY_KIND');
      throwsCode(() => verify(vector.quote, { ...own, tcbInfo: foreign.tcbInfo }, vector.verifyAt), 'STUN_TCB_INFO_KIND');
    }
    assert.ok(cases.length === 0 || pairs.length > 0, `${pairs.length} pairs`);
    console.log(`      ${pairs.length} pairs of quotes and collateral of the other kind`);
  });

  it('are told from quotes of the other kind', () => {
    for (const vector of tdx) throwsCode(() => parseSgxQuote(vector.quote), 'STUN_QUOTE_TEE_TYPE');
    for (const vector of sgx) throwsCode(() => parseTdxQuote(vector.quote), 'STUN_QUOTE_TEE_TYPE');
  });

  it('name the collateral to fetch', () => {
    for (const vector of cases) {
      const { fmspc, pckCa } = collateralKeyOf(parseIntelQuote(vector.quote));
      assert.equal(fmspc, vector.fmspc);
      // The two of Intel's families here whose PCK certificates come from the Processor CA.
      assert.equal(pckCa, ['00a067110000', '00906ed50000'].includes(fmspc) ? 'processor' : 'platform');
    }
    const made = (issuer: string): ReturnType<typeof parseTdxQuote> =>
      parseTdxQuote(machine({ quoteChanges: { pck: { issuer } } }).quote(new Uint8Array(64)));
    assert.deepEqual(collateralKeyOf(made('Intel SGX PCK Processor CA')), { fmspc: '53494d000001', pckCa: 'processor' });
    throwsCode(() => collateralKeyOf(made('Somebody')), 'STUN_CHAIN_NAMES');
  });
});
