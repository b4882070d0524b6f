/** `stun evidence …` as a process: one document of one shape on stdout, on refusal too, and exit code 0 only when verified and validated. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson, defaultPolicy, type Policy } from '#attestation/index.ts';
import { exportSimulatedPki } from '#attestation/simulated/pki.ts';
import { parseSgxQuote } from '#attestation/sgx/quote.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import { exitCodeOf, isErrorCode, toHex } from '#protocol/index.ts';
import { sampleCases } from '#test/depth.ts';
import { gpuCases } from '#test/unit/attestation/gpu-vector-cases.ts';
import { sgxRules } from '#test/unit/attestation/sgx-fixture.ts';
import { acceptedCollateral, acceptedQuote, atUnix, keysetDigest, nonce, pki } from '#test/unit/attestation/simulated-fixture.ts';
import { amdCases, amdFolder, lenientSnpPolicy } from '#test/unit/attestation/snp-vector-cases.ts';
import { intelCases, intelFolder } from '#test/unit/attestation/vector-cases.ts';
import { answers } from '#test/unit/collateral/fetched-collateral.ts';
import { runCli } from './run-cli.ts';

type Document = Readonly<Record<string, unknown>>;

/** What a case gives: the kind, whether verified and validated, and the code of a refusal. */
type Answer = readonly [kind: string, verified: boolean, validated: boolean, code: string | null];

const shape = 'kind verified validated simulated tcbStatus platform module qe advisoryIds debug checks'.split(' ');

/** A PCCS with the collateral of the simulated machine. */
async function startPccs(): Promise<{ url: string; server: Server }> {
  const replies = answers(acceptedCollateral as IntelCollateralDocument);
  const server = createServer((request, response) => {
    const reply = replies.get((request.url ?? '').replace(/\?.*/, ''))?.();
    if (reply === undefined) return void response.writeHead(404).end();
    void reply.arrayBuffer().then((body) => response.writeHead(200, Object.fromEntries(reply.headers)).end(Buffer.from(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe('stun evidence, as any program calls it', function () {
  this.timeout(180_000);
  let folder = '';
  const path = (name: string): string => join(folder, name);
  const policy = async (name: string, content: Policy): Promise<string> => {
    await writeFile(path(name), canonicalPolicyJson(content));
    return path(name);
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-evidence-cli-'));
    await writeFile(path('quote.bin'), acceptedQuote);
    await writeFile(path('root.json'), JSON.stringify(pki.root));
    await writeFile(path('pki.json'), exportSimulatedPki(pki));
    await policy('simulated.json', simulatedPolicy);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const done = async (command: string, options: Readonly<Record<string, string | number>>): Promise<Document> => {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const run = await runCli(['evidence', command, ...args, '--json']);
    assert.equal(run.exitCode, 0, run.stdout);
    return JSON.parse(run.stdout) as Document;
  };

  /** Runs `evidence verify`, and holds shape, answer and exit code together. */
  const verifies = async (options: Readonly<Record<string, string | number>>, answer: Answer): Promise<Document> => {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const run = await runCli(['evidence', 'verify', ...args, '--json']);
    const document = JSON.parse(run.stdout) as Document;
    const [kind, verified, validated, code] = answer;
    const seen = [document['kind'], document['verified'], document['validated'], document['code'] ?? null];
    assert.deepEqual(seen, answer, `${args.join(' ')}: ${String(document['reason'])}`);
    const beside = kind === 'nvidia' ? ['unproven'] : [];
    const keys = Object.keys(document).filter((key) => !beside.includes(key));
    assert.deepEqual(keys, [...shape, ...(code === null ? [] : ['code', 'reason'])]);
    assert.equal(run.exitCode === 0, verified && validated);
    if (code !== null && isErrorCode(code)) assert.equal(run.exitCode, exitCodeOf(code));
    const checks = document['checks'] as readonly { readonly id: string; readonly status: string; readonly code?: string }[];
    assert.ok(checks.length > 10 && checks.every(({ status }) => ['proven', 'refuted', 'unknown'].includes(status)));
    assert.equal(checks.find(({ status }) => status === 'refuted')?.code, code ?? undefined);
    assert.equal(run.stderr, '');
    return document;
  };

  it('fetches collateral of simulated hardware from a PCCS, and verifies with it', async () => {
    const { url, server } = await startPccs();
    try {
      await done('fetch', { quote: path('quote.bin'), pccs: `${url}/sgx/certification/v4`, out: path('collateral.json') });
    } finally {
      server.close();
    }
    const files = { quote: path('quote.bin'), collateral: path('collateral.json'), at: atUnix, root: path('root.json') };
    const document = await verifies({ ...files, policy: path('simulated.json') }, ['tdx', true, true, null]);
    assert.deepEqual([document['simulated'], document['tcbStatus']], [true, 'UpToDate']);
    await verifies(files, ['tdx', true, false, 'STUN_POLICY_SIMULATED']);
  });

  it('collects simulated evidence, and shows what is in it', async () => {
    const out = path('evidence.json');
    const binds = { nonce: toHex(nonce), 'keyset-digest': toHex(keysetDigest) };
    await done('collect', { platform: 'simulated', pki: path('pki.json'), ...binds, out });
    const { fields, verified } = await done('inspect', { evidence: out });
    const shown = new Map((fields as readonly { name: string; value: string }[]).map(({ name, value }) => [name, value]));
    assert.deepEqual([verified, shown.get('document.simulated'), shown.get('document.nonce')], [false, 'true', toHex(nonce)]);
  });

  it('answers for real evidence of each kind', async () => {
    const [tdx, sgx] = ['tdx-v4-90c06f000000-cbdb5b2f-at-2026-03-05', 'sgx-v3-00906ed50000-de015c8c-at-2025-06-11'];
    const intel = [...intelCases(tdx), ...intelCases(sgx)];
    const snp = amdCases().find(({ name }) => name === 'milan-v3-vlek-decdab94');
    const gpu = gpuCases().find(({ name }) => name === 'hopper-daf8ea2a');
    if (intel.length < 2 || snp === undefined || gpu === undefined) {
      assert.ok(intel.length === 0 && snp === undefined && gpu === undefined, 'STUN_VECTORS lacks a case');
      return;
    }
    const intelFiles = (name: string): Record<string, string | number> => {
      const of = join(intelFolder() ?? '', name);
      const at = intel.find((one) => one.name === name)?.verifyAt ?? 0;
      return { quote: join(of, 'quote.bin'), collateral: join(of, 'collateral.json'), at };
    };
    const amd = join(amdFolder() ?? '', snp.name);
    const snpFiles = {
      report: join(amd, 'report.bin'),
      vek: join(amd, 'vek.der'),
      ask: join(amd, 'ask.pem'),
      ark: join(amd, 'ark.pem'),
    };
    const gpuFiles = { gpu: join(gpu.folder, 'report.bin'), chain: join(gpu.folder, 'chain.pem'), at: 1_761_307_200 };
    assert.ok(defaultPolicy.nvidia !== null);
    const { mrEnclave } = parseSgxQuote(intel[1]!.quote).body;
    const any = { skip: 'named by its measurement' };
    const enclaves = [{ mrEnclave: toHex(mrEnclave), mrSigner: any, isvProdId: any, minIsvSvn: 0 }];
    const admitted = {
      sgx: await policy('sgx.json', { ...defaultPolicy, sgx: { ...sgxRules, minTcbEvaluationDataNumber: 0, enclaves } }),
      snp: await policy('snp.json', lenientSnpPolicy()),
      gpu: await policy('gpu.json', {
        ...defaultPolicy,
        nvidia: { ...defaultPolicy.nvidia, requireRevocationData: false, requireRim: false, requireRimRevocationData: false },
      }),
    };
    const cases: readonly (readonly [options: Readonly<Record<string, string | number>>, answer: Answer])[] = [
      [intelFiles(tdx), ['tdx', true, true, null]],
      [{ ...intelFiles(tdx), at: 1_900_000_000 }, ['tdx', false, false, 'STUN_CRL_EXPIRED']],
      [{ ...intelFiles(sgx), policy: admitted.sgx }, ['sgx', true, true, null]],
      [intelFiles(sgx), ['sgx', true, false, 'STUN_POLICY_KIND']],
      [{ ...snpFiles, at: snp.verifyAt, policy: admitted.snp }, ['snp', true, true, null]],
      [{ ...gpuFiles, nonce: toHex(gpu.nonce), policy: admitted.gpu }, ['nvidia', true, true, null]],
    ];
    const chosen = sampleCases(cases, 3);
    for (const [options, answer] of chosen) assert.equal((await verifies(options, answer))['simulated'], false);
    console.log(`      ${chosen.length} of ${cases.length} runs on real evidence`);
  });
});
