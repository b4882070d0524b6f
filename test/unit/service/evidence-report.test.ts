import assert from 'node:assert/strict';
import {
  canonicalPolicyJson,
  computeGpuEvidenceDigest,
  computeGpuNonce,
  computeReportData,
  encodeEvidence,
  encodeSnpEndorsements,
} from '#attestation/index.ts';
import type { EvidenceReport } from '#attestation/index.ts';
import { earStatusOf } from '#attestation/ear/claims.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { toHex, utf8 } from '#protocol/bytes.ts';
import { KEYSET_LENGTH, keysetDigestOf } from '#protocol/keyset.ts';
import { earSignerOf } from '#service/enclaves/ear.ts';
import { evidenceAnswerSchema } from '#service/enclaves/schemas.ts';
import type { Incoming } from '#service/http/route.ts';
import { Secret } from '#service/secret.ts';
import { evidenceRoutes } from '#service/routes/evidence.ts';
import type { Services } from '#service/services.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import {
  acceptedChain,
  acceptedGpuReport,
  acceptedGpuRims,
  acceptedOcsp,
  gpu,
  gpuNonce,
  gpuPki,
  gpuPolicyWith,
} from '../attestation/gpu-fixture.ts';
import { acceptedRimOcsp, rimPki } from '../attestation/rim-fixture.ts';
import { acceptedSgxCollateral, acceptedSgxQuote, sgxMachine, sgxPolicyWith } from '../attestation/sgx-fixture.ts';
import {
  acceptedCollateral,
  acceptedQuote,
  atUnix,
  keysetDigest,
  machine,
  nonce,
  pki,
  reportData,
} from '../attestation/simulated-fixture.ts';
import { snpMachine } from '../attestation/snp-fixture.ts';

const snp = snpMachine();
const services = {
  roots: [pki.root, snp.root, gpuPki.root, rimPki.root],
  nowMs: () => atUnix * 1000,
  settings: { earSeconds: 300 },
  earSigner: earSignerOf(new Secret(`0x${'11'.repeat(32)}`)),
  audience: () => 'http://service.example',
} as unknown as Services;
const gpuPolicy: unknown = JSON.parse(canonicalPolicyJson(gpuPolicyWith({ requireRim: true })));
const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
const gpuCollateral = {
  chain: acceptedChain,
  ocsp: [...acceptedOcsp, ...acceptedRimOcsp].map((response) => toHex(response)),
  rims: acceptedGpuRims.map(text),
};
const policy: unknown = JSON.parse(canonicalPolicyJson(simulatedPolicy));
const sgxPolicy: unknown = JSON.parse(canonicalPolicyJson(sgxPolicyWith({})));
const endorsements = encodeSnpEndorsements(snp.endorsements);

/** Asks as a request does: the bytes of a body, read by the route's own schema. */
async function ask(question: Record<string, unknown>): Promise<EvidenceReport> {
  const [route] = evidenceRoutes(services);
  assert.ok(route?.body !== undefined);
  const body = route.body.read(utf8(JSON.stringify(question)));
  const reply = await route.handle({ body } as unknown as Incoming<never, never, never>);
  assert.ok(reply.kind === 'json' && reply.status === 200);
  evidenceAnswerSchema.parse(JSON.parse(JSON.stringify(reply.body)));
  return reply.body as EvidenceReport;
}

describe('evidence over REST', () => {
  const accepted: readonly (readonly [string, string, () => Record<string, unknown>])[] = [
    ['a document of TDX', 'tdx', () => ({ evidence: text(machine().evidence(keysetDigest, nonce)), policy })],
    ['a document of SGX', 'sgx', () => ({ evidence: text(sgxMachine().evidence(keysetDigest, nonce)), policy: sgxPolicy })],
    ['a document of SEV-SNP', 'snp', () => ({ evidence: text(snp.evidence(keysetDigest, nonce)), policy })],
    ['a quote of TDX', 'tdx', () => ({ quote: toHex(acceptedQuote), collateral: acceptedCollateral, policy })],
    ['a quote of SGX', 'sgx', () => ({ quote: toHex(acceptedSgxQuote), collateral: acceptedSgxCollateral, policy: sgxPolicy })],
    ['a report of SEV-SNP', 'snp', () => ({ report: toHex(snp.report(reportData)), collateral: endorsements, policy })],
    [
      'a report of a GPU',
      'nvidia',
      () => ({ gpu: toHex(acceptedGpuReport), collateral: gpuCollateral, nonce: toHex(gpuNonce), policy: gpuPolicy }),
    ],
  ];
  for (const [name, kind, question] of accepted) {
    it(`accepts ${name}, and refuses it under the default policy`, async () => {
      const report = await ask(question());
      assert.deepEqual([report.kind, report.verified, report.validated, report.simulated], [kind, true, true, true]);
      const byDefault = await ask({ ...question(), policy: undefined });
      assert.deepEqual([byDefault.verified, byDefault.validated], [true, false]);
      assert.match(byDefault.code ?? '', /^STUN_POLICY_(SIMULATED|KIND)$/);
    });
  }

  const refused: readonly (readonly [string, string, () => Record<string, unknown>])[] = [
    ['a quote cut short', 'STUN_QUOTE_FORMAT', () => ({ quote: '0x0400', collateral: acceptedCollateral })],
    ['collateral that is none', 'STUN_COLLATERAL_FORMAT', () => ({ quote: toHex(acceptedQuote), collateral: { tcb_info: 1 } })],
    [
      'endorsements that are none',
      'STUN_SNP_ENDORSEMENTS_FORMAT',
      () => ({ report: toHex(snp.report(reportData)), collateral: { vek: 1 } }),
    ],
    ['a GPU report that is none', 'STUN_GPU_REPORT_VERSION', () => ({ gpu: '0x00', collateral: gpuCollateral })],
    ['a document that is none', 'STUN_EVIDENCE_FORMAT', () => ({ evidence: { version: 1 } })],
  ];
  for (const [name, code, question] of refused) {
    it(`answers for ${name} with its code`, async () => {
      const report = await ask({ ...question(), policy });
      assert.deepEqual([report.code, report.verified, report.validated], [code, false, false]);
      assert.ok(report.checks.some((check) => check.code === code && check.status === 'refuted'));
    });
  }

  /** A document of TDX whose quote binds a GPU, with the reference values that are given. */
  const documentWithGpu = (keyset: Uint8Array, rims: readonly Uint8Array[]): string => {
    const digest = keysetDigestOf(keyset);
    const { report, chain, ocsp } = gpu();
    const shown = report(computeGpuNonce(digest, nonce));
    const { quote, collateral } = machine();
    return text(
      encodeEvidence({
        version: 1,
        kind: 'tdx',
        simulated: true,
        quote: quote(computeReportData(digest, nonce, computeGpuEvidenceDigest([shown]))),
        collateral,
        nonce,
        gpuEvidence: { devices: [{ report: shown, chain }], ocsp: [...ocsp, ...acceptedRimOcsp], rims },
      }),
    );
  };
  const statusOf = ({ checks }: Pick<EvidenceReport, 'checks'>, wanted: string): string | undefined =>
    checks.find(({ id }) => id === wanted)?.status;

  it('holds the RIM documents of a bare GPU report against it', async () => {
    const question = { gpu: toHex(acceptedGpuReport), nonce: toHex(gpuNonce), policy: gpuPolicy };
    const held = await ask({ ...question, collateral: gpuCollateral });
    assert.deepEqual([statusOf(held, 'rim-driver-measurement'), statusOf(held, 'rim-vbios-measurement')], ['proven', 'proven']);
    const without = await ask({ ...question, collateral: { ...gpuCollateral, rims: [] } });
    assert.deepEqual([without.code, without.verified], ['STUN_POLICY_GPU_RIM', true]);
    const [driver = '', vbios = ''] = gpuCollateral.rims;
    const changed = [driver, vbios.replace('</', ' </')];
    const refuted = await ask({ ...question, collateral: { ...gpuCollateral, rims: changed } });
    assert.deepEqual([refuted.code, refuted.validated], ['STUN_RIM_DIGEST', false]);
    const noAnswer = await ask({ ...question, collateral: { ...gpuCollateral, ocsp: [] } });
    assert.equal(noAnswer.code, 'STUN_POLICY_REVOCATION');
    const ofDevice = await ask({ ...question, collateral: { ...gpuCollateral, ocsp: gpuCollateral.ocsp.slice(0, 3) } });
    assert.deepEqual([ofDevice.code, statusOf(ofDevice, 'ocsp')], ['STUN_POLICY_REVOCATION', 'proven']);
    assert.deepEqual([statusOf(ofDevice, 'rim-ocsp'), statusOf(held, 'rim-ocsp')], ['unknown', 'proven']);
  });

  it('holds OCSP responses and RIM documents of a bare GPU each at its own time', async () => {
    const question = { gpu: toHex(acceptedGpuReport), nonce: toHex(gpuNonce), policy: gpuPolicy, collateral: gpuCollateral };
    const later = atUnix + 50 * 365 * 86_400;
    const noOcsp = await ask({ ...question, ocspAtUnix: atUnix + 30 * 86_400 });
    assert.deepEqual([noOcsp.code, noOcsp.verified, statusOf(noOcsp, 'ocsp')], ['STUN_OCSP_EXPIRED', true, 'refuted']);
    assert.equal((noOcsp as EvidenceReport & { ear: unknown }).ear, null, 'a time of the caller is affirmed by nobody');
    const noRim = await ask({ ...question, rimAtUnix: later });
    assert.deepEqual([noRim.validated, statusOf(noRim, 'ocsp'), noRim.code?.startsWith('STUN_')], [false, 'proven', true]);
    const [route] = evidenceRoutes(services);
    const quote = { quote: toHex(acceptedQuote), collateral: acceptedCollateral, rimAtUnix: later };
    throwsCode(() => route?.body?.read(utf8(JSON.stringify(quote))), 'STUN_INPUT');
  });

  it('holds the RIM documents of an evidence document, and needs the keyset for its GPUs', async () => {
    const keyset = new Uint8Array(KEYSET_LENGTH).fill(0x5a);
    const rims = acceptedGpuRims;
    const whole = await ask({ evidence: documentWithGpu(keyset, rims), keyset: toHex(keyset), policy: gpuPolicy });
    assert.deepEqual([whole.code, whole.validated, statusOf(whole, 'evidence-gpu')], [undefined, true, 'proven']);
    const [device, ...others] = whole.gpus ?? [];
    assert.deepEqual([device?.validated, others, whole.unproven?.length], [true, [], 2]);
    assert.deepEqual(
      ['ocsp', 'rim-ocsp', 'rim-driver-measurement', 'policy-driver'].map((wanted) => statusOf(device!, wanted)),
      ['proven', 'proven', 'proven', 'unknown'],
      'every check of the device shows, also one that the policy skips',
    );
    const bare = await ask({ evidence: documentWithGpu(keyset, []), keyset: toHex(keyset), policy: gpuPolicy });
    assert.deepEqual([bare.code, bare.validated, bare.gpus?.[0]?.code], ['STUN_POLICY_GPU_RIM', false, 'STUN_POLICY_GPU_RIM']);
    const unbound = await ask({ evidence: documentWithGpu(keyset, rims), policy: gpuPolicy });
    assert.deepEqual([statusOf(unbound, 'report-data'), statusOf(unbound, 'evidence-gpu')], ['unknown', 'unknown']);
    assert.deepEqual([unbound.verified, unbound.validated, unbound.code], [true, false, 'STUN_EVIDENCE_KEYSET']);
    assert.equal(earStatusOf(unbound), 'none', 'nothing that was not looked at is affirmed');
    const demanding: unknown = JSON.parse(canonicalPolicyJson(gpuPolicyWith({ requireRim: true, minGpus: 1 })));
    const without = await ask({ evidence: text(machine().evidence(keysetDigest, nonce)), policy: demanding });
    assert.deepEqual([without.code, without.validated], ['STUN_EVIDENCE_KEYSET', false]);
  });

  it('bounds what stands beside a GPU report', async () => {
    const question = { gpu: toHex(acceptedGpuReport), policy: gpuPolicy };
    for (const change of [
      { rims: ['', '', '', '', ''] },
      { rims: ['x'.repeat(262_145)] },
      { ocsp: new Array<string>(17).fill('0x00') },
      { ocsp: [`0x${'00'.repeat(8193)}`] },
      { chain: 'x'.repeat(65_537) },
      { note: 'x' },
    ])
      await rejectsCode(ask({ ...question, collateral: { ...gpuCollateral, ...change } }), 'STUN_INPUT');
    await rejectsCode(ask({ ...question, gpu: `0x${'00'.repeat(65_537)}`, collateral: gpuCollateral }), 'STUN_INPUT');
  });

  it('refuses questions that name nothing, two things, or what does not go together', async () => {
    const quote = { quote: toHex(acceptedQuote), collateral: acceptedCollateral };
    const evidence = { evidence: text(machine().evidence(keysetDigest, nonce)) };
    for (const question of [
      {},
      { ...quote, ...evidence },
      { quote: quote.quote },
      { ...evidence, collateral: {} },
      { ...quote, keyset: '0x' },
      { ...quote, nonce: toHex(gpuNonce) },
    ]) {
      const [route] = evidenceRoutes(services);
      throwsCode(() => route?.body?.read(utf8(JSON.stringify(question))), 'STUN_INPUT');
    }
  });
});
