import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { DerReader, derTag, maxDerBytes } from '#attestation/asn1/der.ts';
import { der, derBits, derInteger, derOctets } from '#attestation/simulated/der-writer.ts';
import { parseAmdCertificate } from '#attestation/snp/certificate.ts';
import { productOfArk, verifyConstraints } from '#attestation/snp/chain.ts';
import { parseAmdCrl } from '#attestation/snp/crl.ts';
import { parseSnpEndorsements, readSnpEndorsementsJson } from '#attestation/snp/endorsements.ts';
import { amdSignatureBytes, readAmdSignature, readRsaPssSha384 } from '#attestation/snp/rsa-pss.ts';
import { readHwId, readVekProduct, readVekTcb, vekOid } from '#attestation/snp/vek-extensions.ts';
import { oid } from '#attestation/x509/extension.ts';
import { keyUsageBit } from '#attestation/x509/certificate.ts';
import { maxPemChars } from '#attestation/x509/pem.ts';
import { fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { acceptedEndorsements, acceptedReport, assessSnpChanged, assessSnpWith, snpMachine } from './snp-fixture.ts';

const parsed = parseSnpEndorsements(acceptedEndorsements);
const { vek, ask, ark } = parsed;

/** Replaces the first run of bytes that is `from`; fails when there is none. */
function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const hex = toHex(bytes);
  assert.ok(from.length === to.length && hex.includes(from), from);
  return fromHex(hex.replace(from, to));
}

/** The VEK with one of its extensions replaced, or left out. */
function vekWith(id: string, value: Uint8Array | null): typeof vek {
  const extensions = new Map(vek.extensions);
  if (value === null) extensions.delete(id);
  else extensions.set(id, { critical: false, value });
  return { ...vek, extensions };
}

describe('certificates of AMD', () => {
  it('hold an RSA key of 4096 bits with the exponent 65537, or an uncompressed P-384 point', () => {
    assert.equal(ark.key.kind, 'rsa');
    throwsCode(
      () => parseAmdCertificate(patched(acceptedEndorsements.ark, '0282020100', '0282020101')),
      'STUN_CERTIFICATE_FORMAT',
    );
    throwsCode(
      () => parseAmdCertificate(patched(acceptedEndorsements.ark, '0203010001', '0203010003')),
      'STUN_CERTIFICATE_FORMAT',
    );
    const short = new Uint8Array(
      generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }),
    );
    const small = assessSnpChanged({ ask: { key: { kind: 'rsa', spki: short } } });
    assert.equal(small.failure?.code, 'STUN_CERTIFICATE_FORMAT');
    assert.equal(vek.key.kind, 'p384');
    throwsCode(() => parseAmdCertificate(patched(acceptedEndorsements.vek, '03620004', '03620002')), 'STUN_CERTIFICATE_FORMAT');
    throwsCode(
      () => parseAmdCertificate(patched(acceptedEndorsements.vek, '2b81040022', '2b81040023')),
      'STUN_CERTIFICATE_FORMAT',
    );
  });

  it('have a keyUsage of one byte', () => {
    const usage = (...content: readonly number[]): ReadonlySet<number> => {
      const value = der(derTag.bitString, Uint8Array.from(content));
      const made = snpMachine({ changes: { vek: { extensions: [{ id: oid.keyUsage, critical: true, value }] } } });
      return parseAmdCertificate(made.endorsements.vek).keyUsage;
    };
    assert.deepEqual([...usage(7, 0x80)], [keyUsageBit.digitalSignature]);
    assert.deepEqual(
      [[...usage(0, 0x81)], [...usage(1, 6)], [...usage(0, 6)]],
      [
        [0, 7],
        [5, 6],
        [5, 6],
      ],
    );
    for (const content of [[0, 6, 0], [8, 0], [2, 6], []]) throwsCode(() => usage(...content), 'STUN_CERTIFICATE_FORMAT');
  });

  it('are signed by RSASSA-PSS with SHA-384 and 48 bytes of salt', () => {
    const sha384 = '608648016503040202';
    for (const place of ['vek', 'ark'] as const) {
      const other = patched(acceptedEndorsements[place], sha384, '608648016503040201');
      throwsCode(() => parseAmdCertificate(other), 'STUN_CERTIFICATE_FORMAT');
    }
    throwsCode(
      () => parseAmdCertificate(patched(acceptedEndorsements.vek, 'a203020130', 'a203020120')),
      'STUN_CERTIFICATE_FORMAT',
    );
    const signature = (length: number): DerReader => new DerReader(derBits(new Uint8Array(length)));
    assert.equal(readAmdSignature(signature(amdSignatureBytes), 'STUN_CRL_FORMAT').length, 512);
    for (const length of [511, 513]) throwsCode(() => readAmdSignature(signature(length), 'STUN_CRL_FORMAT'), 'STUN_CRL_FORMAT');
    throwsCode(
      () => readRsaPssSha384(new DerReader(fromHex('0x300b06092a864886f70d01010b')), 'STUN_CRL_FORMAT'),
      'STUN_CRL_FORMAT',
    );
  });

  it('name a product line without a stepping in the ARK', () => {
    const named = (commonName: string): typeof ark => ({ ...ark, subject: { ...ark.subject, commonName } });
    assert.equal(productOfArk(named('ARK-Turin')), 'Turin');
    for (const name of ['ARK-Milan-B0', 'ARK-Rome', 'ask-Milan', 'Milan'])
      throwsCode(() => productOfArk(named(name)), 'STUN_SNP_PRODUCT');
  });

  it('have RSA keys in both authorities and a P-384 key below them', () => {
    verifyConstraints(parsed);
    for (const wrong of [
      { ...parsed, ask: { ...ask, key: vek.key } },
      { ...parsed, ark: { ...ark, key: vek.key } },
      { ...parsed, vek: { ...vek, key: ask.key } },
    ])
      throwsCode(() => verifyConstraints(wrong), 'STUN_CHAIN_CONSTRAINTS');
  });
});

describe('extensions of a VEK', () => {
  it('name a product line that is known, with its structure version', () => {
    const named = (name: string): typeof vek => vekWith(vekOid.productName, der(derTag.ia5String, utf8(name)));
    assert.deepEqual([readVekProduct(vek), readVekProduct(named('Milan'))], ['Genoa', 'Milan']);
    for (const name of ['Rome-B0', 'Turin', '']) throwsCode(() => readVekProduct(named(name)), 'STUN_SNP_PRODUCT');
    throwsCode(() => readVekProduct(vekWith(vekOid.structVersion, null)), 'STUN_SNP_PRODUCT');
  });

  it('give every level, each in one byte', () => {
    const at = (level: number): Uint8Array => derInteger(Uint8Array.of(level >> 8, level & 0xff));
    assert.equal(readVekTcb(vekWith(vekOid.microcode, at(255)), 'Genoa').microcode, 255);
    throwsCode(() => readVekTcb(vekWith(vekOid.microcode, at(256)), 'Genoa'), 'STUN_SNP_TCB');
    throwsCode(() => readVekTcb(vekWith(vekOid.bootloader, null), 'Genoa'), 'STUN_SNP_TCB');
    throwsCode(() => readVekTcb(vekWith(vekOid.fmc, at(0)), 'Genoa'), 'STUN_SNP_TCB');
    throwsCode(() => readHwId(vekWith(vekOid.hwId, derOctets(new Uint8Array(3))), 'Genoa'), 'STUN_SNP_HWID');
  });
});

describe('CRLs and files of AMD', () => {
  const crl = acceptedEndorsements.crl ?? new Uint8Array(0);

  it('are CRLs of version 2 whose number is an integer', () => {
    assert.equal(parseAmdCrl(crl).revokedSerials.size, 0);
    throwsCode(() => parseAmdCrl(patched(crl, '020101', '020100')), 'STUN_CRL_FORMAT');
    throwsCode(() => parseAmdCrl(patched(crl, '0603551d140403020101', '0603551d140403030101')), 'STUN_DER_FORMAT');
  });

  it('have their caps on size', () => {
    const field = (bytes: number): object => ({ ask: '0x00', ark: '0x00', crl: null, vek: `0x${'00'.repeat(bytes)}` });
    assert.equal(readSnpEndorsementsJson({ ...field(maxDerBytes) }).vek.length, 2 + 2 * maxDerBytes);
    throwsCode(() => readSnpEndorsementsJson({ ...field(maxDerBytes + 1) }), 'STUN_SNP_ENDORSEMENTS_FORMAT');
    const pem = (length: number): Uint8Array => utf8('-----BEGIN CERTIFICATE-----'.padEnd(length));
    throwsCode(() => parseSnpEndorsements({ ...acceptedEndorsements, ask: pem(maxPemChars) }), 'STUN_PEM_FORMAT');
    throwsCode(
      () => parseSnpEndorsements({ ...acceptedEndorsements, ask: pem(maxPemChars + 1) }),
      'STUN_SNP_ENDORSEMENTS_FORMAT',
    );
  });
});

describe('the verification of a SEV-SNP report', () => {
  it('takes any time that is one', () => {
    assert.equal(assessSnpWith({ atUnix: 0 }).failure?.code, 'STUN_CERTIFICATE_NOT_YET_VALID');
    for (const atUnix of [-1, 0.5, Number.NaN]) assert.equal(assessSnpWith({ atUnix }).failure?.code, 'STUN_RANGE');
  });

  it('refuses a reserved byte in the TCB that the VEK is held against', () => {
    const reportedTcb = acceptedReport.slice(0x180, 0x188);
    reportedTcb[3] = 1;
    assert.equal(assessSnpChanged({ report: { reportedTcb } }).failure?.code, 'STUN_SNP_TCB');
  });
});
