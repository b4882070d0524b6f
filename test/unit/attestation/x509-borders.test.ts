import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { platformProvider } from '#attestation/crypto/node-provider.ts';
import { makeCertificate } from '#attestation/simulated/certificates.ts';
import type { CertificateSpec } from '#attestation/simulated/certificates.ts';
import { certificateSpec, simulatedNames } from '#attestation/simulated/pki.ts';
import { parseCertificate } from '#attestation/x509/certificate.ts';
import { encodePem, maxPemChars, parsePemChain } from '#attestation/x509/pem.ts';
import { SignatureMemo } from '#attestation/x509/signature-memo.ts';
import { throwsCode } from '../assert-code.ts';
import { pki } from './simulated-fixture.ts';

const spec = certificateSpec(simulatedNames.pck, pki.tcbSigningKey.publicKey, simulatedNames.platformCa, pki.platformCaKey, null);
const made = (changes: Partial<CertificateSpec>): Uint8Array => makeCertificate({ ...spec, ...changes }, pki.platformCaKey);

describe('borders of certificates', () => {
  it('are a serial number of 21 bytes', () => {
    assert.equal(parseCertificate(made({ serial: new Uint8Array(21).fill(1) })).serialHex.length, 42);
    throwsCode(() => parseCertificate(made({ serial: new Uint8Array(22).fill(1) })), 'STUN_CERTIFICATE_FORMAT');
  });

  it('are eight in a chain, and the longest text', () => {
    const one = encodePem(Uint8Array.of(1, 2, 3));
    assert.equal(parsePemChain(one.repeat(8)).length, 8);
    throwsCode(() => parsePemChain(one.repeat(9)), 'STUN_PEM_FORMAT');
    assert.equal(parsePemChain(one.padEnd(maxPemChars)).length, 1);
    throwsCode(() => parsePemChain(one.padEnd(maxPemChars + 1)), 'STUN_PEM_FORMAT');
  });

  it('are an uncompressed point of 65 bytes', () => {
    const { publicKey } = pki.tcbSigningKey;
    assert.deepEqual(parseCertificate(made({ publicKey })).publicKey, publicKey);
    const compressed = publicKey.with(0, 2);
    for (const wrong of [publicKey.subarray(0, 64), compressed])
      throwsCode(() => parseCertificate(made({ publicKey: wrong })), 'STUN_CERTIFICATE_FORMAT');
  });
});

describe('signatures', () => {
  it('are remembered with the key that they were held against', () => {
    const certificate = parseCertificate(made({}));
    const memo = new SignatureMemo();
    const [right, wrong] = [pki.platformCaKey.publicKey, pki.rootKey.publicKey];
    assert.deepEqual(
      [right, right, wrong, wrong, right].map((key) => memo.isSigned(certificate, key)),
      [true, true, false, false, true],
    );
  });

  it('of other lengths or by what is no key of the curve are none', () => {
    const { verifyP256, verifyP384, verifyRsaPssSha384 } = platformProvider;
    const message = Uint8Array.of(1);
    const point = (length: number): Uint8Array => new Uint8Array(length).with(0, 4);
    for (const [signature, key] of [
      [63, 65],
      [64, 64],
      [64, 65],
    ] as const)
      assert.equal(verifyP256(message, new Uint8Array(signature), point(key)), false);
    for (const [signature, key] of [
      [95, 97],
      [96, 96],
      [96, 97],
    ] as const)
      assert.equal(verifyP384(message, new Uint8Array(signature), point(key)), false);
    assert.equal(verifyRsaPssSha384(message, new Uint8Array(512), point(97)), false);
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(verifyRsaPssSha384(message, new Uint8Array(512), new Uint8Array(other)), false);
  });
});
