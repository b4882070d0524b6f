import assert from 'node:assert/strict';
import {
  driverRimId,
  nrasKeys,
  nvidiaServices,
  ocspResponse,
  rimDocument,
  switchBiosRimId,
  vbiosRimId,
} from '#collateral/nvidia.ts';
import { encodeOcspRequest } from '#collateral/ocsp-request.ts';
import { utf8 } from '#protocol/bytes.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { recorded } from './fetched-collateral.ts';

const subject = {
  issuerName: utf8('issuer name'),
  issuerKey: utf8('issuer key'),
  serial: Uint8Array.from(Buffer.from('0123456789abcdef0123456789abcdef', 'hex')),
};
const nonce = Uint8Array.from({ length: 32 }, (_, i) => i);
const json = (value: unknown): (() => Response) => {
  return () => new Response(JSON.stringify(value));
};

describe('OCSP requests', () => {
  it('are, byte for byte, what another implementation makes', () => {
    // Made by pyca/cryptography 48.0.0: add_certificate_by_hash over the same hashes with SHA384, and OCSPNonce, not critical.
    const expected =
      '3081c63081c330818b308188308185300d0609608648016503040202050004307cb58c59567f16cdace3df4d05eab9bd5fe3ee9197d882efe43a6f06a283c6fd90479254893427b0558eff3f96d03e500430abce9cdf050a87ac9ed090841592d932963bf152f27dd9c8f69cf4e1c4ffa873c7d0958f5ea3fd1d5db64dc4b2a94fb102100123456789abcdef0123456789abcdefa2333031302f06092b060105050730010204220420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
    assert.equal(Buffer.from(encodeOcspRequest(subject, nonce)).toString('hex'), expected);
  });

  it('have a serial number and a nonce of the lengths that the RFC lays down', () => {
    for (const bytes of [0, 33]) throwsCode(() => encodeOcspRequest(subject, new Uint8Array(bytes)), 'STUN_INPUT');
    for (const bytes of [0, 21])
      throwsCode(() => encodeOcspRequest({ ...subject, serial: new Uint8Array(bytes) }, nonce), 'STUN_INPUT');
  });

  it('go out by POST, and the response comes back with its nonce', async () => {
    const dependencies = recorded(new Map([['/', () => new Response(Uint8Array.of(0x30, 1, 0))]]));
    const asked = ocspResponse(nvidiaServices, dependencies, subject, nonce);
    assert.deepEqual(await asked.fetch(), { response: '300100', nonce: Buffer.from(nonce).toString('hex') });
    const [request] = dependencies.requests;
    assert.deepEqual([request?.method, request?.body], ['POST', encodeOcspRequest(subject, nonce)]);
    assert.deepEqual(dependencies.urls, ['https://ocsp.ndis.nvidia.com/']);
  });

  it('have one name for one certificate, whatever their nonce', () => {
    const nameOf = (about: typeof subject, with_: Uint8Array): string =>
      ocspResponse(nvidiaServices, recorded(new Map()), about, with_).name;
    assert.equal(nameOf(subject, nonce), nameOf(subject, new Uint8Array(32)));
    assert.notEqual(nameOf(subject, nonce), nameOf({ ...subject, serial: Uint8Array.of(1) }, nonce));
  });

  it('are refused an answer that is cut or no DER', async () => {
    for (const body of [Uint8Array.of(0x30, 2, 0), Uint8Array.of(0x30), utf8('<html>'), new Uint8Array()]) {
      const asked = ocspResponse(nvidiaServices, recorded(new Map([['/', () => new Response(body)]])), subject, nonce);
      await rejectsCode(asked.fetch(), 'STUN_COLLATERAL_RESPONSE');
    }
  });
});

describe('RIM documents over HTTP', () => {
  const id = driverRimId('GH100', '550.90.07');
  const path = `/v1/rim/${id}`;

  it('have the ids that reports name', () => {
    assert.equal(id, 'NV_GPU_DRIVER_GH100_550.90.07');
    assert.equal(vbiosRimId('1010', '0210', '886', '96.00.9f.00.04'), 'NV_GPU_VBIOS_1010_0210_886_96009F0004');
    assert.equal(switchBiosRimId('96.10.55.00.01'), 'NV_SWITCH_BIOS_5612_0002_890_9610550001');
    for (const part of ['', '../x', 'a/b', 'x'.repeat(41)]) throwsCode(() => driverRimId('GH100', part), 'STUN_INPUT');
  });

  it('come as base64 under their id', async () => {
    const dependencies = recorded(new Map([[path, json({ id, rim: 'PFgvPg==', sha256: '00', last_updated: 'x' })]]));
    assert.deepEqual(await rimDocument(nvidiaServices, dependencies, id).fetch(), { rim: 'PFgvPg==' });
    assert.deepEqual(dependencies.urls, [`https://rim.attestation.nvidia.com${path}`]);
  });

  for (const [name, reply, code] of [
    ['of another id', json({ id: 'NV_GPU_DRIVER_GH100_1', rim: 'PFgvPg==' }), 'STUN_COLLATERAL_RESPONSE'],
    ['without a document', json({ id }), 'STUN_COLLATERAL_RESPONSE'],
    ['that are not base64', json({ id, rim: '<X/>' }), 'STUN_COLLATERAL_RESPONSE'],
    ['that are a list', json([]), 'STUN_COLLATERAL_RESPONSE'],
    ['that are no JSON', () => new Response('<html>'), 'STUN_COLLATERAL_RESPONSE'],
    ['that do not exist', () => new Response('', { status: 404 }), 'STUN_COLLATERAL_NOT_FOUND'],
  ] as const) {
    it(`are refused ${name}`, async () => {
      await rejectsCode(rimDocument(nvidiaServices, recorded(new Map([[path, reply]])), id).fetch(), code);
    });
  }
});

describe('keys of the remote attestation service over HTTP', () => {
  const path = '/.well-known/jwks.json';

  it('are handed on as the exact text', async () => {
    const text = '{ "keys": [ {"kid":"a"} ] }';
    const dependencies = recorded(new Map([[path, () => new Response(text)]]));
    assert.deepEqual(await nrasKeys(nvidiaServices, dependencies).fetch(), { jwks: text });
    assert.deepEqual(dependencies.urls, [`https://nras.attestation.nvidia.com${path}`]);
  });

  it('are refused when they are no set of keys', async () => {
    const asked = nrasKeys(nvidiaServices, recorded(new Map([[path, json({ keys: {} })]])));
    await rejectsCode(asked.fetch(), 'STUN_COLLATERAL_RESPONSE');
  });
});
