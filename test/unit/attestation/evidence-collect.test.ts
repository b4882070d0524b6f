import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assessEvidence, canonicalPolicyJson, encodeEvidence, parseEvidence, verifyEvidence } from '#attestation/index.ts';
import { createSimulatedPki, exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { evidenceCollect, type CollectingMachine } from '#cli/commands/evidence-collect.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import { concatBytes, gpuEvidenceDigestOf, gpuNonceOf, reportDataOf, toHex, utf8 } from '#protocol/index.ts';
import { rejectsCode } from '../assert-code.ts';
import { answers, recorded, type Recorded } from '../collateral/fetched-collateral.ts';
import { createTsmDouble, type TsmDouble } from '../worker/tsm-double.ts';
import { gpu, gpuPki } from './gpu-fixture.ts';
import { nvidia } from './nvidia-answers.ts';
import { rimPki } from './rim-fixture.ts';
import { acceptedCollateral, atUnix, keysetDigest, machine, nonce, pki } from './simulated-fixture.ts';
import { snpMachine } from './snp-fixture.ts';

describe('stun evidence collect', () => {
  let folder = '';
  let tsm: TsmDouble;
  const path = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-collect-'));
    tsm = await createTsmDouble();
    tsm.report = machine().quote;
    await mkdir(path('dev'));
    await writeFile(path('collateral.json'), JSON.stringify(acceptedCollateral));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  const guest = async (
    device: 'tdx_guest' | 'sev-guest' | null,
    network: Recorded = recorded(new Map()),
  ): Promise<CollectingMachine> => {
    if (device !== null) await writeFile(path(`dev/${device}`), '');
    return { root: folder, tsm, network };
  };
  const asked = (): { nonce: string; keysetDigest: string; out: string } => {
    return { nonce: toHex(nonce), keysetDigest: toHex(keysetDigest), out: path('evidence.json') };
  };
  const written = async (): Promise<Uint8Array> => new Uint8Array(await readFile(path('evidence.json')));
  const context = { atUnix, roots: [pki.root, snpMachine().root], policy: simulatedPolicy, keysetDigest };
  /** The kernel's part is played by the simulator, which the document must then say. */
  const verified = (document: Uint8Array): ReturnType<typeof verifyEvidence> =>
    verifyEvidence(encodeEvidence({ ...parseEvidence(document), simulated: true }), context);

  it('makes a document of a TDX guest over the nonce, with collateral from a file or from Intel', async () => {
    const result = await evidenceCollect({ ...asked(), collateral: path('collateral.json') }, await guest('tdx_guest'));
    assert.match(result.text, /evidence of Intel TDX.*\nNothing in it is verified yet/);
    assert.deepEqual([verified(await written()).nonce, parseEvidence(await written()).simulated], [nonce, false]);
    const network = recorded(answers(acceptedCollateral as IntelCollateralDocument));
    await evidenceCollect({ ...asked(), fetch: true }, await guest('tdx_guest', network));
    assert.equal(verified(await written()).platform.kind, 'tdx');
    assert.equal(network.urls.length, 4);
  });

  it('makes a document of a SEV-SNP guest', async () => {
    const snp = snpMachine();
    tsm.provider = 'sev_guest';
    tsm.report = snp.report;
    const { vek, ask, ark, crl } = snp.endorsements;
    const hex = { vek: toHex(vek), ask: toHex(ask), ark: toHex(ark), crl: crl === null ? null : toHex(crl) };
    await writeFile(path('endorsements.json'), JSON.stringify(hex));
    await evidenceCollect({ ...asked(), collateral: path('endorsements.json') }, await guest('sev-guest'));
    assert.equal(verified(await written()).platform.kind, 'snp');
    await rejectsCode(evidenceCollect(asked(), await guest('sev-guest')), 'STUN_ENDORSEMENTS_MISSING');
  });

  it('makes simulated evidence only when asked to, and it says so', async () => {
    const own = createSimulatedPki();
    await writeFile(path('pki.json'), exportSimulatedPki(own));
    const simulated = { ...asked(), platform: 'simulated', pki: path('pki.json') };
    const result = await evidenceCollect(simulated, await guest(null));
    assert.match(result.text, /SIMULATED/);
    await writeFile(path('root.json'), JSON.stringify(own.root));
    await writeFile(path('policy.json'), canonicalPolicyJson(simulatedPolicy));
    const rules = { root: path('root.json'), policy: path('policy.json'), keysetDigest: toHex(keysetDigest) };
    assert.equal((await evidenceVerify({ evidence: path('evidence.json'), ...rules })).exitCode, 0);
    assert.equal((await evidenceVerify({ evidence: path('evidence.json'), ...rules, policy: undefined! })).exitCode, 4);
    await rejectsCode(evidenceCollect({ ...simulated, pki: path('absent') }, await guest(null)), 'STUN_FILE');
  });

  /** Options under which nvattest gives this report. */
  const withGpu = async (
    report: Uint8Array,
    chain: string,
  ): Promise<ReturnType<typeof asked> & { collateral: string; nvattest: string }> => {
    const evidence = { evidences: [{ evidence: Buffer.from(report).toString('base64'), certificate: chain }] };
    await writeFile(path('nvattest'), `#!/bin/sh\ncat <<'END'\n${JSON.stringify(evidence)}\nEND\n`);
    await chmod(path('nvattest'), 0o755);
    return { ...asked(), collateral: path('collateral.json'), nvattest: path('nvattest') };
  };

  it('stores what GPUs are verified with when it may fetch, and the whole is accepted', async () => {
    const made = gpu();
    const options = await withGpu(made.report(gpuNonceOf(keysetDigest, nonce)), made.chain);
    tsm.report = machine().quote;
    const trusted = { ...context, roots: [pki.root, gpuPki.root, rimPki.root] };
    const codeOf = async (): Promise<string | undefined> =>
      assessEvidence(encodeEvidence({ ...parseEvidence(await written()), simulated: true }), trusted).failure?.code;
    await evidenceCollect(options, await guest('tdx_guest'));
    assert.equal(await codeOf(), 'STUN_POLICY_REVOCATION');
    const saveBundle = path('bundle.json');
    const fetched = await evidenceCollect(
      { ...options, fetch: true, saveBundle },
      { ...(await guest('tdx_guest')), network: nvidia() },
    );
    assert.match(fetched.text, /It has 6 OCSP responses and 2 RIM documents of its GPUs/);
    assert.equal(await codeOf(), undefined);
    await evidenceCollect({ ...options, bundle: saveBundle }, await guest('tdx_guest'));
    assert.equal(await codeOf(), undefined);
    await rejectsCode(evidenceCollect({ ...options, fetch: true }, await guest('tdx_guest')), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('binds what nvattest collects', async () => {
    const gpuNonce = gpuNonceOf(keysetDigest, nonce);
    const report = concatBytes(Uint8Array.of(0x11, 0xe0, 1, 0xff), gpuNonce, utf8('measurements'));
    const chain = '-----BEGIN CERTIFICATE-----\n';
    const options = await withGpu(report, chain);
    const over: Uint8Array[] = [];
    tsm.report = (reportData) => machine().quote(over[over.push(reportData) - 1] ?? reportData);
    const result = await evidenceCollect(options, await guest('tdx_guest'));
    assert.match(result.text, /and 1 GPUs.*\nIt has no OCSP responses and no RIM documents of its GPUs/);
    const document = JSON.parse(new TextDecoder().decode(await written())) as Record<string, unknown>;
    assert.deepEqual(document['gpuEvidence'], { devices: [{ report: toHex(report), chain }], ocsp: [], rims: [] });
    assert.deepEqual(over.map(toHex), [toHex(reportDataOf(keysetDigest, nonce, gpuEvidenceDigestOf([report])))]);
  });

  it('refuses a machine without a TEE, and options that cannot be used', async () => {
    await rejectsCode(evidenceCollect(asked(), await guest(null)), 'STUN_PLATFORM');
    await rejectsCode(evidenceCollect({ ...asked(), platform: 'sev-snp' }, await guest('tdx_guest')), 'STUN_PLATFORM');
    for (const options of [
      { ...asked(), nonce: '0x00' },
      { ...asked(), keysetDigest: '0x00' },
      { ...asked(), platform: 'cca' },
      { ...asked(), platform: 'simulated' },
      asked(),
    ])
      await rejectsCode(evidenceCollect(options, await guest('tdx_guest')), 'STUN_INPUT');
    const missing = { ...(await guest('tdx_guest')), tsm: { directory: path('absent') } };
    await rejectsCode(evidenceCollect({ ...asked(), collateral: path('collateral.json') }, missing), 'STUN_TSM_UNAVAILABLE');
  });
});
