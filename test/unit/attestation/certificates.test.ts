import assert from 'node:assert/strict';
import { der, derBoolean, derName, derOctets, derOid, derSequence } from '#attestation/simulated/der-writer.ts';
import { keyId, makeCertificate, makeCrl, makePckExtension } from '#attestation/simulated/certificates.ts';
import type { CertificateSpec, CrlSpec } from '#attestation/simulated/certificates.ts';
import { certificateSpec, makeAuthorityCertificates, simulatedNames } from '#attestation/simulated/pki.ts';
import { parsePckExtension } from '#attestation/intel/pck-extension.ts';
import { parseCertificate } from '#attestation/x509/certificate.ts';
import { verifyNotRevoked } from '#attestation/x509/chain.ts';
import { parseCrl } from '#attestation/x509/crl.ts';
import { readExtensions, readName } from '#attestation/x509/extension.ts';
import { DerReader, derTag } from '#attestation/asn1/der.ts';
import { concatBytes, toHex } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';
import { atUnix, pki } from './simulated-fixture.ts';

const spec = certificateSpec(simulatedNames.pck, pki.tcbSigningKey.publicKey, simulatedNames.platformCa, pki.platformCaKey, null);
const made = (changes: Partial<CertificateSpec>): Uint8Array => makeCertificate({ ...spec, ...changes }, pki.platformCaKey);
const crlSpec: CrlSpec = {
  issuer: simulatedNames.platformCa,
  thisUpdateUnix: atUnix,
  nextUpdateUnix: atUnix + 1,
  revokedSerials: [Uint8Array.of(0x80, 1), Uint8Array.of(1)],
  authorityKeyId: keyId(pki.platformCaKey.publicKey),
  crlNumber: 7,
  extensions: [],
};

/** Replaces one run of bytes by another of the same length; fails when it is not there exactly once. */
function patched(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const hex = toHex(bytes);
  assert.equal(hex.split(from).length, 2, `${from} is there ${hex.split(from).length - 1} times`);
  return Uint8Array.from(Buffer.from(hex.replace(from, to).slice(2), 'hex'));
}

describe('certificates', () => {
  it('are read as they were made', () => {
    const certificate = parseCertificate(made({ serial: Uint8Array.of(0, 0x90, 2) }));
    assert.deepEqual([certificate.serialHex, certificate.isCa, certificate.pathLength], ['009002', false, null]);
    assert.equal(certificate.subject.commonName, simulatedNames.pck);
    assert.equal(certificate.issuer.commonName, simulatedNames.platformCa);
    assert.deepEqual(certificate.publicKey, pki.tcbSigningKey.publicKey);
    assert.equal(certificate.subjectKeyId, toHex(keyId(pki.tcbSigningKey.publicKey)));
    const authority = parseCertificate(makeAuthorityCertificates(pki).root);
    assert.deepEqual([authority.isCa, authority.pathLength, [...authority.keyUsage]], [true, 1, [5, 6]]);
  });

  it('may leave key usage and constraints to their defaults only by failing later', () => {
    assert.deepEqual([...parseCertificate(made({ keyUsage: [] })).keyUsage], []);
  });

  it('are refused outside the profile', () => {
    throwsCode(() => parseCertificate(made({ serial: new Uint8Array(22).fill(1) })), 'STUN_CERTIFICATE_FORMAT');
    throwsCode(() => parseCertificate(made({ publicKey: pki.rootKey.publicKey.subarray(0, 64) })), 'STUN_CERTIFICATE_FORMAT');
    const twice = makePckExtension({
      ppid: new Uint8Array(16),
      componentSvns: new Array<number>(16).fill(0),
      pceSvn: 1,
      pceId: new Uint8Array(2),
      fmspc: new Uint8Array(6),
    });
    throwsCode(() => parseCertificate(made({ extensions: [twice, twice] })), 'STUN_CERTIFICATE_FORMAT');
    const whole = made({});
    throwsCode(() => parseCertificate(patched(whole, 'a003020102', 'a003020101')), 'STUN_CERTIFICATE_FORMAT'); // version 2
    throwsCode(() => parseCertificate(patched(whole, '2a8648ce3d030107', '2a8648ce3d030101')), 'STUN_CERTIFICATE_FORMAT'); // another curve
    throwsCode(() => parseCertificate(concatBytes(whole, Uint8Array.of(0))), 'STUN_DER_FORMAT');
  });

  it('are refused with a signature algorithm that is not ECDSA with SHA-256', () => {
    const hex = toHex(made({}));
    const other = Uint8Array.from(Buffer.from(hex.slice(2).replaceAll('2a8648ce3d040302', '2a8648ce3d040303'), 'hex'));
    throwsCode(() => parseCertificate(other), 'STUN_CERTIFICATE_FORMAT');
  });

  it('name exactly one common name in a string type that is known', () => {
    const name = (bytes: Uint8Array): (() => unknown) => {
      return () => readName(new DerReader(bytes), 'STUN_CERTIFICATE_FORMAT');
    };
    const part = (value: Uint8Array): Uint8Array => der(derTag.set, derSequence(derOid('2.5.4.3'), value));
    const text = Uint8Array.of(0x41);
    assert.equal(readName(new DerReader(derName('A', 'B')), 'STUN_CERTIFICATE_FORMAT').commonName, 'A');
    throwsCode(name(derSequence()), 'STUN_CERTIFICATE_FORMAT');
    throwsCode(
      name(derSequence(part(der(derTag.utf8String, text)), part(der(derTag.utf8String, text)))),
      'STUN_CERTIFICATE_FORMAT',
    );
    throwsCode(name(derSequence(part(der(0x1e, text)))), 'STUN_CERTIFICATE_FORMAT'); // BMPString
    for (const tag of [derTag.printableString, derTag.ia5String]) assert.doesNotThrow(name(derSequence(part(der(tag, text)))));
  });

  it('are refused with a criticality that DER leaves out', () => {
    const list = derSequence(derSequence(derOid('2.5.29.15'), derBoolean(false), derOctets(Uint8Array.of(1))));
    throwsCode(() => readExtensions(new DerReader(list), [], 'STUN_CERTIFICATE_FORMAT'), 'STUN_DER_FORMAT');
  });
});

describe('the SGX extension', () => {
  const values = {
    ppid: new Uint8Array(16).fill(7),
    componentSvns: Array.from({ length: 16 }, (_, i) => i),
    pceSvn: 13,
    pceId: Uint8Array.of(0, 1),
    fmspc: Uint8Array.of(1, 2, 3, 4, 5, 6),
  };
  const parse = (value: Uint8Array): ReturnType<typeof parsePckExtension> =>
    parsePckExtension(parseCertificate(made({ extensions: [{ id: '1.2.840.113741.1.13.1', critical: false, value }] })));

  it('is read as it was made', () => {
    const parsed = parse(makePckExtension(values).value);
    assert.deepEqual(
      [parsed.ppid, parsed.componentSvns, parsed.pceSvn, parsed.pceId, parsed.fmspc],
      [values.ppid, values.componentSvns, 13, values.pceId, values.fmspc],
    );
    assert.equal(parsed.platformInstanceId?.length, 16);
  });

  it('may lack the platform instance of processor certificates', () => {
    const value = makePckExtension(values).value;
    const inner = new DerReader(value).read(derTag.sequence).content;
    assert.equal(parse(derSequence(inner.subarray(0, inner.length - 32))).platformInstanceId, null);
  });

  it('is refused with a field twice, out of range or malformed', () => {
    const field = derSequence(derOid('1.2.840.113741.1.13.1.1'), derOctets(new Uint8Array(16)));
    throwsCode(() => parse(derSequence(field, field)), 'STUN_PCK_EXTENSION');
    throwsCode(
      () => parse(makePckExtension({ ...values, componentSvns: new Array<number>(16).fill(256) }).value),
      'STUN_PCK_EXTENSION',
    );
    throwsCode(() => parse(makePckExtension({ ...values, pceSvn: 65_536 }).value), 'STUN_PCK_EXTENSION');
    throwsCode(() => parse(Uint8Array.of(0x30)), 'STUN_PCK_EXTENSION');
  });
});

describe('revocation lists', () => {
  it('are read as they were made, serials compared as certificates write them', () => {
    const crl = parseCrl(makeCrl(crlSpec, pki.platformCaKey));
    assert.deepEqual([...crl.revokedSerials], ['008001', '01']);
    assert.deepEqual([crl.thisUpdateUnix, crl.nextUpdateUnix], [atUnix, atUnix + 1]);
    throwsCode(
      () => verifyNotRevoked(parseCertificate(made({ serial: Uint8Array.of(0x80, 1) })), crl),
      'STUN_CERTIFICATE_REVOKED',
    );
    verifyNotRevoked(parseCertificate(made({ serial: Uint8Array.of(2) })), crl);
  });

  it('say nothing about certificates of another issuer', () => {
    const crl = parseCrl(makeCrl({ ...crlSpec, issuer: 'Another CA' }, pki.platformCaKey));
    throwsCode(() => verifyNotRevoked(parseCertificate(made({})), crl), 'STUN_CRL_ISSUER');
  });

  it('are refused in version 1', () => {
    throwsCode(
      () => parseCrl(patched(makeCrl({ ...crlSpec, revokedSerials: [] }, pki.platformCaKey), '020101300a0608', '020100300a0608')),
      'STUN_CRL_FORMAT',
    );
  });
});
