import assert from 'node:assert/strict';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonicalPolicyJson, defaultPolicy, encodeEvidence, parseEvidence, verifyEvidence } from '#attestation/index.ts';
import { createSimulatedPki, exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { StunError, utf8 } from '#protocol/index.ts';
import { canonicalPolicyBytes, issueEvidence } from '#worker/issuer/issuer.ts';
import { createSimulatedIssuer } from '#worker/issuer/simulated.ts';
import { collateralFile } from '#worker/issuer/collateral-file.ts';
import { createTdxIssuer } from '#worker/issuer/tdx.ts';
import { choosePlatform, detectPlatform } from '#worker/platform.ts';
import { throwsCode } from '../assert-code.ts';
import { PROVIDER } from '../protocol/fixtures.ts';
import { createTsmDouble } from './tsm-double.ts';

const atUnix = 1_800_000_000;
const keysetDigest = new Uint8Array(32).fill(1);
const nonce = new Uint8Array(32).fill(2);

async function machine(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'stun-root-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

describe('worker evidence', () => {
  it('of the simulator verifies under its root, binds keyset and nonce, and is refused by default', () => {
    const pki = createSimulatedPki();
    const issuer = createSimulatedIssuer(exportSimulatedPki(pki), PROVIDER, () => atUnix);
    assert.equal(issuer.simulated, true);
    return issueEvidence(issuer, keysetDigest, nonce).then((document) => {
      const evidence = verifyEvidence(document, { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest });
      assert.equal(evidence.platformCode, issuer.platformCode);
      assert.throws(
        () => verifyEvidence(document, { atUnix, roots: [pki.root], policy: defaultPolicy, keysetDigest }),
        (error: unknown) => error instanceof StunError && error.code === 'STUN_POLICY_SIMULATED',
      );
      const other = { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest: nonce };
      throwsCode(() => verifyEvidence(document, other), 'STUN_REPORT_DATA');
    });
  });

  it('is written as attestation/ writes it, byte for byte', async () => {
    const issuer = createSimulatedIssuer(exportSimulatedPki(createSimulatedPki()), PROVIDER, () => atUnix);
    const document = await issueEvidence(issuer, keysetDigest, nonce);
    assert.deepEqual(Buffer.from(encodeEvidence(parseEvidence(document))), Buffer.from(document));
  });

  it('names the same hardware after a restart, and another for another provider', async () => {
    const pki = exportSimulatedPki(createSimulatedPki());
    const ppidOf = async (provider: string): Promise<string> => {
      const issued = await createSimulatedIssuer(pki, provider, () => atUnix).issue(new Uint8Array(64));
      return Buffer.from(issued.quote).subarray(632).toString('hex');
    };
    assert.equal(await ppidOf(PROVIDER), await ppidOf(PROVIDER));
    assert.notEqual(await ppidOf(PROVIDER), await ppidOf('0x00000000000000000000000000000000000000a2'));
  });

  it('of a TDX guest takes the quote from configfs-tsm and the collateral from the file', async () => {
    const pki = createSimulatedPki();
    const tdx = createSimulatedTdx({ atUnix, pki });
    const double = await createTsmDouble();
    double.report = tdx.quote;
    const root = await machine({ 'collateral.json': JSON.stringify(tdx.collateral) });
    const issuer = createTdxIssuer(double, collateralFile(join(root, 'collateral.json')));
    const document = await issueEvidence(issuer, keysetDigest, nonce);
    const context = { atUnix, roots: [pki.root], policy: simulatedPolicy, keysetDigest };
    // The quote is good and chains to the simulator's root, so a document that does not say "simulated" is caught by that.
    throwsCode(() => verifyEvidence(document, context), 'STUN_EVIDENCE_SIMULATED_TAG');
    const honest = encodeEvidence({ ...parseEvidence(document), simulated: true });
    assert.deepEqual(verifyEvidence(honest, context).nonce, nonce);
  });

  it('hashes a policy as attestation/ does', () => {
    for (const policy of [defaultPolicy, simulatedPolicy]) {
      assert.deepEqual(canonicalPolicyBytes(policy), utf8(canonicalPolicyJson(policy)));
    }
  });
});

describe('worker platform', () => {
  it('is TDX by its device or its cpu flag', async () => {
    const byDevice = detectPlatform(await machine({ 'dev/tdx_guest': '' }));
    assert.deepEqual([byDevice.platform, byDevice.signs, byDevice.reportInterface], ['tdx', ['/dev/tdx_guest'], false]);
    const flags = await machine({
      'proc/cpuinfo': 'processor: 0\nflags\t\t: fpu tdx_guest sse\n',
      'sys/kernel/config/tsm/report/x': '',
    });
    assert.deepEqual(detectPlatform(flags), { platform: 'tdx', signs: ['cpu flag tdx_guest'], reportInterface: true });
  });

  it('is SEV-SNP by its device or its cpu flag', async () => {
    assert.equal(detectPlatform(await machine({ 'dev/sev-guest': '' })).platform, 'sev-snp');
    assert.equal(detectPlatform(await machine({ 'proc/cpuinfo': 'flags : fpu sev_snp\n' })).platform, 'sev-snp');
  });

  it('is none on an ordinary machine', async () => {
    assert.deepEqual(detectPlatform(await machine({ 'proc/cpuinfo': 'flags : fpu\n' })), {
      platform: 'none',
      signs: [],
      reportInterface: false,
    });
  });

  const none = { platform: 'none', signs: [], reportInterface: false } as const;
  const tdx = { ...none, platform: 'tdx' } as const;

  it('is chosen as found, or as named when both agree', () => {
    assert.equal(choosePlatform('auto', tdx, 1), 'tdx');
    assert.equal(choosePlatform('tdx', tdx, 1), 'tdx');
    assert.equal(choosePlatform('simulated', tdx, 31337), 'simulated');
  });

  it('is never simulated unless that is named', () => throwsCode(() => choosePlatform('auto', none, 31337), 'STUN_PLATFORM'));

  it('is refused when the machine is another', () => throwsCode(() => choosePlatform('sev-snp', tdx, 1), 'STUN_PLATFORM'));

  it('is refused as simulated on every chain but the development chain', () => {
    for (const chainId of [1, 31336, 31338]) {
      throwsCode(() => choosePlatform('simulated', none, chainId), 'STUN_SIMULATED_REFUSED');
    }
  });
});
