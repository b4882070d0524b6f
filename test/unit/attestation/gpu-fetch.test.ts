import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assessGpu,
  canonicalPolicyJson,
  computeGpuEvidenceDigest,
  computeGpuNonce,
  computeReportData,
  encodeEvidence,
  parseDeviceChain,
  parseGpuReport,
} from '#attestation/index.ts';
import type { Check } from '#attestation/index.ts';
import { gpuCollateralKeyOf } from '#attestation/nvidia/collateral-key.ts';
import { rimCollateralKeyOf } from '#attestation/nvidia/rim/collateral-key.ts';
import { holdRims } from '#attestation/nvidia/rim/hold.ts';
import { parseRim } from '#attestation/nvidia/rim/reference-manifest.ts';
import { makeSimulatedRim, rimPlaces } from '#attestation/simulated/simulated-rim.ts';
import { openCollateral } from '#cli/commands/evidence-collateral.ts';
import { evidenceVerify, type EvidenceVerifyOptions } from '#cli/commands/evidence.ts';
import type { CommandResult } from '#cli/command.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import { fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { answers, recorded, type Recorded } from '../collateral/fetched-collateral.ts';
import {
  acceptedChain,
  acceptedGpuReport,
  acceptedGpuRims,
  acceptedOcsp,
  gpu,
  gpuNonce,
  gpuPki,
  gpuPolicyWith,
} from './gpu-fixture.ts';
import { nvidia, rimIds } from './nvidia-answers.ts';
import { acceptedRimOcsp, acceptedRims, rimPki, rimSpecs } from './rim-fixture.ts';
import { acceptedCollateral, atUnix, keysetDigest, machine, nonce, pki } from './simulated-fixture.ts';

const checksOf = ({ document }: CommandResult, status: Check['status']): readonly string[] =>
  (document as unknown as { readonly checks: readonly Check[] }).checks
    .filter((check) => check.status === status)
    .map((check) => check.id);
const codeOf = ({ document }: CommandResult): unknown => (document as Readonly<Record<string, unknown>>)['code'];
const nobody = (): Recorded => recorded(new Map());

describe('stun evidence of GPUs with collateral that it gets', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-gpu-fetch-'));
    for (const [name, content] of [
      ['report.bin', acceptedGpuReport],
      ['short.bin', acceptedGpuReport.subarray(0, 100)],
      ['chain.pem', acceptedChain],
      ['policy.json', canonicalPolicyJson(gpuPolicyWith({}))],
      ['roots.json', JSON.stringify([gpuPki.root, rimPki.root, pki.root])],
    ] as const)
      await writeFile(path(name), content);
  });
  after(async () => rm(folder, { recursive: true }));
  const options = (): EvidenceVerifyOptions => ({
    gpu: path('report.bin'),
    chain: path('chain.pem'),
    nonce: toHex(gpuNonce),
    policy: path('policy.json'),
    root: path('roots.json'),
    at: atUnix,
  });
  const gotAll = (result: CommandResult): void => {
    assert.deepEqual(checksOf(result, 'refuted'), []);
    for (const id of ['nonce', 'ocsp', 'rim-format', 'rim-ocsp']) assert.ok(checksOf(result, 'proven').includes(id), id);
  };

  it('asks for what report and chain name, and that is what the device is accepted with', async () => {
    const outside = nvidia();
    const access = await openCollateral({ fetch: true }, outside);
    assert.ok(access !== null);
    const device = { report: acceptedGpuReport, chain: acceptedChain };
    const { ocsp, rims } = await access.ofGpus([device, device]);
    assert.deepEqual([ocsp, rims], [[...acceptedOcsp, ...acceptedRimOcsp], acceptedGpuRims]);
    assert.equal(outside.urls.length, 8, 'what devices share is asked for once');
    const roots = [gpuPki.root, rimPki.root];
    const policy = gpuPolicyWith({ requireRim: true });
    const input = { ...device, ocsp, ocspAtUnix: null, nonce: gpuNonce, atUnix, roots, policy };
    const { failure } = assessGpu(input, holdRims(rims, atUnix, roots));
    assert.equal(failure, null, failure?.message);
  });

  it('uses the network only when it is told to', async () => {
    const outside = nvidia();
    assert.equal(codeOf(await evidenceVerify(options(), outside)), 'STUN_POLICY_REVOCATION');
    assert.equal(outside.urls.length, 0);
    gotAll(await evidenceVerify({ ...options(), fetch: true }, outside));
    assert.equal(outside.urls.length, 8);
  });

  it('leaves a bundle and a cache with which the same is verified without a network', async () => {
    const saveBundle = path('bundle.json');
    const cache = path('cache');
    await evidenceVerify({ ...options(), fetch: true, saveBundle, cache }, nvidia());
    gotAll(await evidenceVerify({ ...options(), bundle: saveBundle }, nobody()));
    const again = nobody();
    gotAll(await evidenceVerify({ ...options(), fetch: true, cache }, again));
    assert.equal(again.urls.length, 0);
    const bundle = JSON.parse(await readFile(saveBundle, 'utf8')) as { collateral: Record<string, unknown> };
    const { 'rim-nv_gpu_driver_gh100_570.124.06': driver, ...rest } = bundle.collateral;
    assert.ok(driver !== undefined);
    await writeFile(path('lacking.json'), JSON.stringify({ ...bundle, collateral: rest }));
    await rejectsCode(evidenceVerify({ ...options(), bundle: path('lacking.json') }, nobody()), 'STUN_COLLATERAL_NOT_FOUND');
  });

  it('takes a response that repeats the nonce of the question, and refuses one that repeats another', async () => {
    gotAll(await evidenceVerify({ ...options(), fetch: true }, nvidia({ nonceOf: (asked) => asked })));
    const other = nvidia({ nonceOf: () => new Uint8Array(32) });
    await rejectsCode(evidenceVerify({ ...options(), fetch: true }, other), 'STUN_COLLATERAL_RESPONSE');
  });

  it('leaves it to the verifier to refuse a response that nobody can read', async () => {
    const broken = nvidia({ respond: () => Uint8Array.of(0x30, 3, 0x0a, 1, 3) });
    const result = await evidenceVerify({ ...options(), fetch: true }, broken);
    assert.deepEqual([codeOf(result), checksOf(result, 'refuted')[0]], ['STUN_OCSP_FORMAT', 'ocsp']);
  });

  it('leaves it to the verifier to refuse a RIM that nobody can read, and asks about no certificate of it', async () => {
    const outside = nvidia({ rims: new Map(rimIds.map((id) => [id, utf8('<a></a>')])) });
    const result = await evidenceVerify({ ...options(), fetch: true }, outside);
    assert.deepEqual([codeOf(result), checksOf(result, 'refuted')], ['STUN_RIM_FORMAT', ['rim-format']]);
    assert.equal(outside.urls.length, 5);
  });

  it('renews what stands beside the GPUs of a document', async () => {
    const made = gpu();
    const report = made.report(computeGpuNonce(keysetDigest, nonce));
    const reportData = computeReportData(keysetDigest, nonce, computeGpuEvidenceDigest([report]));
    const { quote, collateral } = machine();
    const document = encodeEvidence({
      version: 1,
      kind: 'tdx',
      simulated: true,
      quote: quote(reportData),
      collateral,
      nonce,
      gpuEvidence: { devices: [{ report, chain: made.chain }], ocsp: [], rims: [] },
    });
    await writeFile(path('evidence.json'), document);
    const saveBundle = path('document-bundle.json');
    const outside = nvidia({ others: answers(acceptedCollateral as IntelCollateralDocument) });
    const { policy, root, at } = options();
    const asked = { evidence: path('evidence.json'), keysetDigest: toHex(keysetDigest), policy, root, at };
    const renewed = await evidenceVerify({ ...asked, fetch: true, saveBundle } as EvidenceVerifyOptions, outside);
    assert.equal(renewed.exitCode, 0, renewed.text);
    const names = Object.keys((JSON.parse(await readFile(saveBundle, 'utf8')) as { collateral: object }).collateral);
    assert.equal(names.filter((name) => name.startsWith('ocsp-')).length, 6);
    assert.equal(names.filter((name) => name.startsWith('rim-')).length, 2);
  });

  it('answers for a report or chain that cannot be read before it asks anybody', async () => {
    const outside = nvidia();
    const short = await evidenceVerify({ ...options(), gpu: path('short.bin'), fetch: true }, outside);
    assert.deepEqual([codeOf(short), checksOf(short, 'refuted')], ['STUN_GPU_REPORT_FORMAT', ['report-format']]);
    const noChain = await evidenceVerify({ ...options(), chain: path('short.bin'), fetch: true }, outside);
    assert.deepEqual([codeOf(noChain), checksOf(noChain, 'refuted')], ['STUN_PEM_FORMAT', ['chain-format']]);
    assert.equal(outside.urls.length, 0);
  });

  it('says when NVIDIA does not answer or has no such RIM', async () => {
    await rejectsCode(evidenceVerify({ ...options(), fetch: true }, nobody()), 'STUN_COLLATERAL_UNAVAILABLE');
    const noRims = nvidia({ rims: new Map() });
    await rejectsCode(evidenceVerify({ ...options(), fetch: true }, noRims), 'STUN_COLLATERAL_NOT_FOUND');
  });

  it('refuses options that do not go together', async () => {
    const { chain: _chain, ...withoutChain } = options();
    for (const given of [
      { ...withoutChain, fetch: true },
      { ...options(), ocsp: [path('report.bin')], fetch: true },
      { ...options(), rim: [path('report.bin')], fetch: true },
      { quote: path('report.bin'), nonce: toHex(gpuNonce), fetch: true },
    ])
      await rejectsCode(evidenceVerify(given, nvidia()), 'STUN_INPUT');
  });
});

describe('what to fetch for a RIM document', () => {
  it('is what is said of every certificate of its chain but the root', () => {
    const { chain } = parseRim(acceptedRims.driver);
    assert.deepEqual(
      rimCollateralKeyOf(acceptedRims.driver),
      [0, 1, 2].map((i) => ({
        issuerName: chain[i + 1]?.subject.raw,
        issuerKey: chain[i + 1]?.key,
        serial: fromHex(`0x${chain[i]?.serialHex ?? ''}`),
      })),
    );
  });

  it('needs the whole chain', () => {
    for (const places of [
      ['signer', 'l3', 'chip'],
      [...rimPlaces, 'root'],
    ] as const)
      throwsCode(() => rimCollateralKeyOf(makeSimulatedRim(rimPki, rimSpecs.driver, { places })), 'STUN_CHAIN_LENGTH');
  });
});

describe('what to fetch for a GPU report', () => {
  const keyOf = (made = gpu()): ReturnType<typeof gpuCollateralKeyOf> =>
    gpuCollateralKeyOf(parseGpuReport(made.report(gpuNonce)), parseDeviceChain(made.chain));

  it('is read from report and chain', () => {
    const { driver, vbios, certificates } = keyOf();
    assert.deepEqual(driver, { chip: 'GH100', version: '570.124.06' });
    const project = { project: '1010', projectSku: '0200', chipSku: '882' };
    assert.deepEqual(vbios, { version: '96.00.9F.00.01', project });
    const chain = parseDeviceChain(acceptedChain);
    assert.deepEqual(
      certificates.map(({ serial }) => toHex(serial)),
      chain.slice(1, 4).map(({ serialHex }) => `0x${serialHex}`),
    );
    assert.deepEqual(
      certificates.map(({ issuerName, issuerKey }) => [issuerName, issuerKey]),
      chain.slice(2).map(({ subject, key }) => [subject.raw, key]),
    );
  });

  it('is the BIOS alone of a switch, and nothing of what a report does not name', () => {
    const { driver, vbios } = keyOf(gpu({ architecture: 'ls10' }));
    assert.deepEqual([driver, vbios], [null, { version: '96.10.6D.00.01', project: null }]);
    for (const name of ['driverVersion', 'vbiosVersion', 'project', 'projectSku', 'chipSku'] as const) {
      const key = keyOf(gpu({ changes: { opaque: { [name]: null } } }));
      assert.equal(name === 'driverVersion' ? key.driver : key.vbios, null, name);
    }
  });

  it('needs the whole chain', () => {
    const report = parseGpuReport(acceptedGpuReport);
    for (const chain of [[], parseDeviceChain(acceptedChain).slice(0, 4)])
      throwsCode(() => gpuCollateralKeyOf(report, chain), 'STUN_CHAIN_LENGTH');
  });
});
