import assert from 'node:assert/strict';
import {
  nvidiaRoots,
  assessTdx,
  defaultPolicy,
  defaultTrustRoots,
  parseTdxQuote,
  parseTrustRoots,
  platformCode,
  verifyEvidence,
} from '#attestation/index.ts';
import { createSimulatedPki, exportSimulatedPki, importSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { PLATFORM } from '#protocol/commitments.ts';
import { throwsCode } from '../assert-code.ts';
import { acceptedQuote, assessWith, atUnix, keysetDigest, machine, nonce, otherPki, pki, ppid } from './simulated-fixture.ts';

describe('simulated TDX', () => {
  it('has the platform codes of the protocol', () => {
    assert.deepEqual(platformCode, PLATFORM);
  });

  it('is marked in the verified value, the platform code and the quote itself', () => {
    const context = { atUnix, roots: [...defaultTrustRoots, pki.root], policy: simulatedPolicy, keysetDigest };
    const verified = verifyEvidence(machine().evidence(keysetDigest, nonce), context);
    assert.equal(verified.simulated, true);
    assert.equal(verified.platform.kind, 'tdx');
    assert.equal(verified.platformCode, 129);
    assert.deepEqual(verified.hardwareId, ppid);
    assert.equal(String.fromCharCode(...parseTdxQuote(acceptedQuote).header.userData.subarray(0, 14)), 'STUN SIMULATED');
  });

  it('has its root in no default trust store', () => {
    assert.ok(defaultTrustRoots.length > 0);
    assert.ok(defaultTrustRoots.every((root) => !root.simulated));
    assert.equal(assessWith({ roots: defaultTrustRoots }).failure?.code, 'STUN_ROOT_UNTRUSTED');
  });

  it('is refused by the default policy even under a store that holds its root', () => {
    assert.equal(assessWith({ policy: defaultPolicy }).failure?.code, 'STUN_POLICY_SIMULATED');
  });

  it('is the same machine, byte for byte, from the same seed, identity and time', () => {
    assert.deepEqual(machine().evidence(keysetDigest, nonce), machine().evidence(keysetDigest, nonce));
  });

  it('is another machine under another root without a seed', () => {
    const [first, second] = [createSimulatedTdx({ atUnix }), createSimulatedTdx({ atUnix })];
    assert.notEqual(first.root.publicKey, second.root.publicKey);
    assert.notDeepEqual(first.ppid, second.ppid);
  });

  it('shares a root between workers that restore one PKI', () => {
    const restored = importSimulatedPki(exportSimulatedPki(pki));
    assert.deepEqual(restored.root, pki.root);
    const worker = createSimulatedTdx({ atUnix, pki: restored });
    const { failure } = assessTdx({
      quote: worker.quote(new Uint8Array(64)),
      collateral: worker.collateral,
      atUnix,
      roots: [pki.root],
      policy: simulatedPolicy,
    });
    assert.equal(failure, null);
  });

  it('refuses a stored PKI of another form', () => {
    throwsCode(() => importSimulatedPki('{"version":2,"seed":"0x"}'), 'STUN_SIMULATOR_STATE');
    throwsCode(() => importSimulatedPki('{"version":1,"seed":"0x12"}'), 'STUN_INPUT');
    throwsCode(() => importSimulatedPki(''), 'STUN_JSON_FORMAT');
  });

  it('renews its collateral, which expires like the real one', () => {
    const later = atUnix + 40 * 86_400;
    const old = machine();
    const quote = old.quote(new Uint8Array(64));
    const at = (collateral: typeof old.collateral): string | undefined =>
      assessTdx({ quote, collateral, atUnix: later, roots: [pki.root], policy: simulatedPolicy }).failure?.code;
    assert.equal(at(old.collateral), 'STUN_CRL_EXPIRED');
    assert.equal(at(old.collateralAt(later)), undefined);
  });

  it('refuses report_data and identities of a wrong length', () => {
    throwsCode(() => machine().quote(new Uint8Array(63)), 'STUN_INPUT');
    throwsCode(() => createSimulatedTdx({ atUnix, ppid: new Uint8Array(15) }), 'STUN_INPUT');
    throwsCode(() => machine({ mrTd: new Uint8Array(47) }).quote(new Uint8Array(64)), 'STUN_INPUT');
  });

  it('hands its root to verifiers as JSON that cannot name a real root', () => {
    assert.deepEqual(parseTrustRoots(JSON.stringify(pki.root)), [pki.root]);
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...pki.root, simulated: false })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...defaultTrustRoots[0], simulated: true })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...pki.root, vendor: 'amd' })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...pki.root, publicKey: '0x04' })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...pki.root, vendor: 'constructor' })), 'STUN_CONFIG');
  });

  it('hands out several roots as a list', () => {
    assert.deepEqual(parseTrustRoots(JSON.stringify([pki.root, otherPki.root])), [pki.root, otherPki.root]);
    for (const roots of [[], new Array(17).fill(pki.root), [pki.root, { ...pki.root, simulated: false }], [[pki.root]]])
      throwsCode(() => parseTrustRoots(JSON.stringify(roots)), 'STUN_CONFIG');
  });

  it('names roots of NVIDIA by purpose, and none of the real ones', () => {
    const root = { vendor: 'nvidia', name: 'simulated', purpose: 'rim', publicKey: `0x04${'5a'.repeat(96)}`, simulated: true };
    assert.deepEqual(parseTrustRoots(JSON.stringify(root)), [root]);
    assert.equal(nvidiaRoots.length, 2);
    for (const { publicKey } of nvidiaRoots)
      throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, publicKey })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, purpose: 'gpu' })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, publicKey: `0x04${'5a'.repeat(64)}` })), 'STUN_CONFIG');
    throwsCode(() => parseTrustRoots(JSON.stringify({ ...root, simulated: false })), 'STUN_CONFIG');
  });

  it('never mixes with another simulated root', () => {
    const stranger = createSimulatedTdx({ atUnix, pki: otherPki });
    const roots = [pki.root, otherPki.root];
    const { failure } = assessWith({ collateral: stranger.collateral, roots });
    assert.equal(failure?.code, 'STUN_ROOT_UNTRUSTED');
    assert.notDeepEqual(createSimulatedPki().seed, createSimulatedPki().seed);
  });
});
