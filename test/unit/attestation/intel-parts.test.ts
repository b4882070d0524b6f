import assert from 'node:assert/strict';
import { collateralKeyOf, parseIntelCollateral, parseIntelQuote, parseTdxQuote } from '#attestation/index.ts';
import { maxGraceSeconds } from '#attestation/intel/verify.ts';
import { parseCertificationData } from '#attestation/intel/certification-data.ts';
import type { CertificationData } from '#attestation/intel/certification-data.ts';
import { isParsedCollateral } from '#attestation/intel/collateral.ts';
import { parseEnclaveReport } from '#attestation/intel/enclave-report.ts';
import { assemblePckChain, verifyNamedPlatform } from '#attestation/intel/pck-chain.ts';
import { parsePckExtension } from '#attestation/intel/pck-extension.ts';
import { maxQuoteBytes, quoteKind } from '#attestation/intel/quote.ts';
import { reaches } from '#attestation/intel/tcb-evaluation.ts';
import { parseTcbInfo } from '#attestation/intel/tcb-info.ts';
import { oid } from '#attestation/x509/extension.ts';
import { encodePem, parsePemChain } from '#attestation/x509/pem.ts';
import { concatBytes } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  assessWith,
  collateralWith,
  machine,
  policyWith,
  ppid,
  reportData,
} from './simulated-fixture.ts';
import type { AssessChanges } from './simulated-fixture.ts';

const quote = parseTdxQuote(acceptedQuote);
const collateral = parseIntelCollateral(acceptedCollateral);
const chainPem = quote.certification.type === 5 ? quote.certification.chainPem : '';
const [leaf = new Uint8Array(0)] = parsePemChain(chainPem);
const leafPem = encodePem(leaf);
const svns = { cpuSvn: new Uint8Array(16), pceSvn: 0 };
const named = (type: 1 | 2 | 3, pceId: Uint8Array, id: Uint8Array = ppid): CertificationData =>
  type === 1 ? { type, ppid: id, pceId, ...svns } : { type, encryptedPpid: id, pceId, ...svns };

describe('the PCK certificate of a quote', () => {
  it('is found in certification data of types 4 and 5 alone', () => {
    for (const certification of [{ type: 4, leafPem } as const, { type: 5, chainPem } as const])
      assert.equal(collateralKeyOf({ ...quote, certification }).pckCa, 'platform');
    for (const type of [1, 2, 3] as const)
      throwsCode(() => collateralKeyOf({ ...quote, certification: named(type, new Uint8Array(2)) }), 'STUN_PCK_MISSING');
  });

  it('stands before authorities that are taken from the collateral where they are the same', () => {
    const [first, second, third, ...more] = assemblePckChain({ type: 5, chainPem }, collateral);
    assert.deepEqual([first?.raw, more], [leaf, []]);
    assert.equal(second, collateral.pckCrlIssuerChain[0]);
    assert.equal(third, collateral.pckCrlIssuerChain[1]);
    throwsCode(() => assemblePckChain({ type: 4, leafPem: leafPem + leafPem }, collateral), 'STUN_CHAIN_LENGTH');
    assert.equal(assemblePckChain({ type: 4, leafPem }, collateral).length, 3);
    throwsCode(() => assemblePckChain(named(3, new Uint8Array(2)), collateral), 'STUN_PCK_MISSING');
  });

  it('is for the PCE and the PPID that the certification data names', () => {
    const [certificate] = assemblePckChain({ type: 5, chainPem }, collateral);
    assert.ok(certificate !== undefined);
    const pck = parsePckExtension(certificate);
    const [right, wrong] = [pck.pceId, Uint8Array.of(9, 9)];
    for (const type of [1, 2, 3] as const) {
      verifyNamedPlatform(named(type, right, pck.ppid), pck);
      throwsCode(() => verifyNamedPlatform(named(type, wrong, pck.ppid), pck), 'STUN_PCK_MISMATCH');
    }
    throwsCode(() => verifyNamedPlatform(named(1, right, new Uint8Array(16)), pck), 'STUN_PCK_MISMATCH');
    verifyNamedPlatform(named(2, right, new Uint8Array(256)), pck);
    verifyNamedPlatform({ type: 5, chainPem }, pck);
  });

  it('has an extension that is DER', () => {
    const [certificate] = assemblePckChain({ type: 5, chainPem }, collateral);
    assert.ok(certificate !== undefined);
    const withValue = (value: Uint8Array | null): typeof certificate => {
      const extensions = new Map(certificate.extensions);
      if (value === null) extensions.delete(oid.sgx);
      else extensions.set(oid.sgx, { critical: false, value });
      return { ...certificate, extensions };
    };
    for (const value of [null, new Uint8Array(0), Uint8Array.of(0x30, 0x80), Uint8Array.of(0x30, 0)])
      throwsCode(() => parsePckExtension(withValue(value)), 'STUN_PCK_EXTENSION');
  });
});

describe('parts of Intel evidence', () => {
  it('are certification data of a type that is known', () => {
    for (const type of [0, 6, 7])
      assert.throws(() => parseCertificationData(type, new Uint8Array(36)), {
        code: 'STUN_QUOTE_CERTIFICATION_DATA',
        message: /type 1 to 5/,
      });
    assert.equal(parseCertificationData(1, new Uint8Array(36)).type, 1);
    throwsCode(() => parseCertificationData(1, new Uint8Array(35)), 'STUN_QUOTE_CERTIFICATION_DATA');
  });

  it('are enclave reports of 384 bytes', () => {
    assert.equal(parseEnclaveReport(new Uint8Array(384)).isvSvn, 0);
    for (const length of [0, 383, 385]) throwsCode(() => parseEnclaveReport(new Uint8Array(length)), 'STUN_QUOTE_FORMAT');
  });

  it('are collateral that is parsed or is not', () => {
    assert.equal(isParsedCollateral(collateral), true);
    for (const other of [null, undefined, 'text', 7, {}, { signatures: {} }, acceptedCollateral])
      assert.equal(isParsedCollateral(other), false);
  });

  it('are signed texts up to their cap', () => {
    const text = (length: number): (() => unknown) => {
      return () => parseIntelCollateral(collateralWith({ tcb_info: 'x'.repeat(length) }));
    };
    text(262_144)();
    throwsCode(text(262_145), 'STUN_COLLATERAL_FORMAT');
  });

  it('are SVNs compared from an index on, never of unequal lengths', () => {
    assert.deepEqual(
      [reaches([1, 2], [1, 2], 0), reaches([0, 2], [1, 2], 0), reaches([0, 2], [1, 2], 1), reaches([1, 1], [1, 2], 1)],
      [true, false, true, false],
    );
    for (const level of [[1], [1, 2, 0]]) assert.equal(reaches([1, 2], level, 0), false);
  });

  it('are quotes up to their cap, of a kind that their header names', () => {
    const padded = (length: number): Uint8Array => concatBytes(acceptedQuote, new Uint8Array(length - acceptedQuote.length));
    assert.equal(parseTdxQuote(padded(maxQuoteBytes)).trailingBytes, maxQuoteBytes - acceptedQuote.length);
    throwsCode(() => parseTdxQuote(padded(maxQuoteBytes + 1)), 'STUN_QUOTE_FORMAT');
    assert.deepEqual(
      [new Uint8Array(8), new Uint8Array(7), acceptedQuote, Uint8Array.of(3, 0, 2, 0, 0, 0, 0, 1)].map(quoteKind),
      ['sgx', 'tdx', 'tdx', 'tdx'],
    );
  });

  it('say what was expected of a kind', () => {
    const header = (version: number, tee: number): Uint8Array =>
      concatBytes(Uint8Array.of(version, 0, 2, 0, tee), new Uint8Array(60));
    const message = (pattern: RegExp, call: () => unknown): void => assert.throws(call, { message: pattern });
    message(/type 0 \(SGX\) in version 3/, () => parseIntelQuote(header(3, 0x81)));
    message(/type 0 \(SGX\) or 0x81 \(TDX\) in version 4/, () => parseIntelQuote(header(4, 0x80)));
    const body = (bodyType: number): Uint8Array => {
      const changed = machine({ quoteVersion: 5, bodyType: 2 }).quote(reportData);
      changed[48] = bodyType;
      return changed;
    };
    message(/body type 2, 3 or 4 for this TEE type, got 1/, () => parseIntelQuote(body(1)));
    message(/body type 2, 3 or 4 for this TEE type, got 5/, () => parseIntelQuote(body(5)));
  });

  it('are verified at any time that is one, with a grace within its cap', () => {
    const code = (changes: AssessChanges): string | undefined => assessWith(changes).failure?.code;
    const grace = (collateralGraceSeconds: number): AssessChanges => ({ policy: policyWith({ collateralGraceSeconds }) });
    assert.deepEqual(
      [code({ atUnix: 0 }), code(grace(0)), code(grace(maxGraceSeconds))],
      ['STUN_CERTIFICATE_NOT_YET_VALID', undefined, undefined],
    );
    for (const atUnix of [-1, 0.5, Number.NaN]) assert.equal(code({ atUnix }), 'STUN_RANGE');
    for (const seconds of [-1, 0.5, maxGraceSeconds + 1]) assert.equal(code(grace(seconds)), 'STUN_RANGE');
  });

  it('are TCB levels of 16 components', () => {
    const info = JSON.parse(acceptedCollateral.tcb_info) as {
      tcbLevels: { tcb: { sgxtcbcomponents: object[]; tdxtcbcomponents: object[] } }[];
    };
    assert.ok(parseTcbInfo(JSON.stringify(info)));
    info.tcbLevels[0]?.tcb.sgxtcbcomponents.pop();
    throwsCode(() => parseTcbInfo(JSON.stringify(info)), 'STUN_TCB_INFO_FORMAT');
  });
});
