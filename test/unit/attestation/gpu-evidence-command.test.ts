import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson, encodeEvidence, parseEvidence } from '#attestation/index.ts';
import type { CommandResult } from '#cli/command.ts';
import { evidenceInspect, evidenceVerify } from '#cli/commands/evidence.ts';
import { toHex } from '#protocol/bytes.ts';
import { rejectsCode } from '../assert-code.ts';
import { acceptedChain, acceptedGpuReport, acceptedOcsp, gpuNonce, gpuPki, gpuPolicyWith } from './gpu-fixture.ts';
import { gpuCases } from './gpu-vector-cases.ts';
import { atUnix, keysetDigest, machine, nonce } from './simulated-fixture.ts';

const shape = 'kind verified validated simulated tcbStatus platform module qe advisoryIds debug checks'.split(' ');

function fields(result: CommandResult): Record<string, unknown> {
  assert.ok(typeof result.document === 'object' && result.document !== null && !Array.isArray(result.document));
  return Object.fromEntries(Object.entries(result.document));
}

function checksOf(result: CommandResult, status: string): readonly string[] {
  const checks = fields(result)['checks'] as readonly { readonly id: string; readonly status: string }[];
  return checks.filter((check) => check.status === status).map((check) => check.id);
}

describe('stun evidence of GPUs', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-gpu-'));
    await writeFile(path('report.bin'), acceptedGpuReport);
    await writeFile(path('chain.pem'), acceptedChain);
    for (const [i, response] of acceptedOcsp.entries()) await writeFile(path(`ocsp-${i}.der`), response);
    await writeFile(path('expected.json'), JSON.stringify({ nonce: toHex(gpuNonce).slice(2), expected: 'chain' }));
    await writeFile(path('policy.json'), canonicalPolicyJson(gpuPolicyWith({})));
    await writeFile(path('root.json'), JSON.stringify(gpuPki.root));
  });
  after(async () => rm(folder, { recursive: true }));

  const trust = (): { at: number; policy: string; root: string } => ({
    at: atUnix,
    policy: path('policy.json'),
    root: path('root.json'),
  });
  const files = (): { gpu: string; chain: string } => ({ gpu: path('report.bin'), chain: path('chain.pem') });
  const ocsp = (): readonly string[] => acceptedOcsp.map((_, i) => path(`ocsp-${i}.der`));

  it('accepts with exit code 0, the one shape, and what is not proven', async () => {
    const result = await evidenceVerify({ ...files(), ...trust(), ocsp: ocsp(), nonce: toHex(gpuNonce) });
    const document = fields(result);
    assert.deepEqual(
      Object.keys(document).filter((key) => key !== 'unproven'),
      shape,
    );
    assert.deepEqual(
      [document['kind'], document['verified'], document['validated'], document['simulated']],
      ['nvidia', true, true, true],
    );
    assert.equal((document['unproven'] as readonly string[]).length, 2);
    assert.equal(result.exitCode, 0);
    assert.match(result.text, /SIMULATED HARDWARE/);
    assert.match(result.text, /not proven: the GPU is in the same machine/);
    assert.match(result.text, /NVIDIA gives no status/);
  });

  it('reads a folder, and of its expected.json the nonce alone', async () => {
    const result = await evidenceVerify({ case: folder, ...trust() });
    assert.equal(result.exitCode, 0, result.text);
    const { at: _, ...rest } = trust();
    await rejectsCode(evidenceVerify({ case: folder, ...rest }), 'STUN_INPUT');
  });

  it('refuses without a nonce or OCSP responses by the policy alone, and by its own code at another time', async () => {
    const bare = await evidenceVerify({ ...files(), ...trust() });
    assert.deepEqual(checksOf(bare, 'refuted'), ['policy-revocation', 'policy-nonce']);
    assert.deepEqual([fields(bare)['verified'], fields(bare)['code'], bare.exitCode], [true, 'STUN_POLICY_REVOCATION', 4]);
    const late = { ...files(), ...trust(), at: atUnix + 86_400, ocsp: ocsp(), nonce: toHex(gpuNonce) };
    assert.deepEqual(checksOf(await evidenceVerify(late), 'refuted'), ['ocsp']);
    assert.equal((await evidenceVerify({ ...late, ocspAt: String(atUnix) })).exitCode, 0);
  });

  it('answers a report that cannot be read with its code, in the same shape', async () => {
    const result = await evidenceVerify({ ...trust(), gpu: path('chain.pem'), chain: path('chain.pem') });
    assert.deepEqual(Object.keys(fields(result)), [...shape, 'code', 'reason']);
    assert.deepEqual([fields(result)['code'], result.exitCode], ['STUN_GPU_REPORT_VERSION', 1]);
  });

  it('refuses options that do not belong together', async () => {
    await rejectsCode(evidenceVerify({ gpu: path('report.bin') }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ chain: path('chain.pem') }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), case: folder }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), nonce: '0x12' }), 'STUN_INPUT');
    await rejectsCode(evidenceVerify({ ...files(), ocsp: [path('absent.der')] }), 'STUN_FILE');
  });

  it('shows every field with its meaning, and verifies nothing', async () => {
    const result = await evidenceInspect({ ...files(), ocsp: ocsp() });
    const shown = fields(result)['fields'] as readonly {
      readonly name: string;
      readonly value: string;
      readonly meaning: string;
    }[];
    const value = (name: string): string | undefined => shown.find((entry) => entry.name === name)?.value;
    assert.equal(value('nonce'), toHex(gpuNonce));
    assert.equal(value('driverVersion'), '570.124.06');
    assert.match(value('chain.root') ?? '', /NVIDIA Device Identity CA/);
    assert.equal(shown.filter((entry) => entry.name.startsWith('measurement.')).length, 64);
    assert.equal(shown.filter((entry) => entry.name.startsWith('ocsp.')).length, 3);
    assert.ok(shown.every((entry) => entry.meaning.length > 3));
    assert.equal(fields(result)['verified'], false);
    await rejectsCode(evidenceInspect({ gpu: path('chain.pem'), chain: path('chain.pem') }), 'STUN_GPU_REPORT_VERSION');
  });

  it('shows the GPUs of a document', async () => {
    const document = parseEvidence(machine().evidence(keysetDigest, nonce));
    const device = { report: acceptedGpuReport, chain: acceptedChain };
    const gpuEvidence = { devices: [device, device], ocsp: acceptedOcsp, rims: [] };
    await writeFile(path('document.json'), encodeEvidence({ ...document, gpuEvidence }));
    const shown = fields(await evidenceInspect({ evidence: path('document.json') }))['fields'] as readonly {
      readonly name: string;
    }[];
    const names = new Set(shown.map(({ name }) => name));
    for (const name of ['document.gpus', 'gpus[0].nonce', 'gpus[1].measurement.64', 'gpus[1].chain.root', 'body.mrTd'])
      assert.ok(names.has(name), name);
    assert.equal([...names].filter((name) => name.startsWith('gpus.ocsp.')).length, 3);
  });

  it('accepts a real GPU under the default policy, everything at its own time', async () => {
    const vector = gpuCases().find(({ name }) => name === 'hopper-c438e7e7');
    if (vector === undefined) return;
    const result = await evidenceVerify({ case: vector.folder, at: 1_761_307_200, ocspAt: 1_755_758_828 });
    assert.equal(result.exitCode, 0, result.text);
    assert.deepEqual([fields(result)['validated'], fields(result)['simulated']], [true, false]);
    const late = await evidenceVerify({ case: vector.folder, at: 1_761_307_200, ocspAt: 1_755_758_828, rimAt: 4_000_000_000 });
    assert.deepEqual([fields(late)['verified'], fields(late)['code']], [true, 'STUN_CERTIFICATE_EXPIRED']);
    const shown = fields(await evidenceInspect({ case: vector.folder }))['fields'] as readonly {
      readonly name: string;
      readonly value: string;
    }[];
    assert.equal(shown.find(({ name }) => name === 'rim.driver')?.value, '550.90.07');
  });

  for (const vector of gpuCases()) {
    it(`answers the case ${vector.name} as a correct verifier does`, async () => {
      const result = await evidenceVerify({ case: vector.folder, at: 1_761_307_200 });
      const own = checksOf(result, 'refuted').filter(
        (id) => !id.startsWith('policy-') && id !== 'ocsp' && !id.startsWith('rim-'),
      );
      assert.equal(fields(result)['verified'], vector.expected === 'valid');
      assert.deepEqual(own, vector.expected === 'valid' ? [] : [vector.expected, ...vector.alsoFails]);
      if (vector.expected === 'valid') assert.ok(checksOf(result, 'proven').includes('nonce'));
    });
  }
});
