import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeGpuEvidenceDigest } from '#attestation/index.ts';
import { concatBytes, gpuEvidenceDigestOf, toHex, utf8 } from '#protocol/index.ts';
import { collectGpus } from '#worker/issuer/gpu.ts';
import { rejectsCode } from '../assert-code.ts';

const nonce = new Uint8Array(32).fill(7);
const chain = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const reportOver = (over: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0x11, 0xe0, 1, 0xff), over, utf8('measurements'));
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

describe('GPU evidence of nvattest', () => {
  let folder = '';
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'stun-nvattest-'))));
  after(async () => rm(folder, { recursive: true }));

  /** A program that notes its arguments, prints what it is given and ends as it is told. */
  async function nvattest(output: string, exitCode = 0): Promise<string> {
    const path = join(folder, 'nvattest');
    await writeFile(join(folder, 'output'), output);
    await writeFile(path, `#!/bin/sh\necho "$@" > '${folder}/arguments'\ncat '${folder}/output'\nexit ${exitCode}\n`);
    await chmod(path, 0o755);
    return path;
  }
  const collect = (command: string): ReturnType<typeof collectGpus> => collectGpus(nonce, { command, timeoutMs: 30_000 });
  const device = { arch: 'HOPPER', evidence: base64(reportOver(nonce)), certificate: base64(chain) };
  const printed = (change: object): string => JSON.stringify({ result_code: 0, evidences: [device], ...change });

  it('is asked for over the nonce and given as reports with their chains', async () => {
    const gpus = await collect(await nvattest(printed({ evidences: [device, { ...device, certificate: chain }] })));
    assert.deepEqual(gpus, [
      { report: reportOver(nonce), chain },
      { report: reportOver(nonce), chain },
    ]);
    const asked = await readFile(join(folder, 'arguments'), 'utf8');
    assert.equal(asked.trim(), `collect-evidence --device gpu --nonce ${toHex(nonce).slice(2)} --format json`);
  });

  for (const [name, output, exitCode] of [
    ['a program that fails', printed({}), 1],
    ['a result code that is not 0', printed({ result_code: 3 }), 0],
    ['no device', printed({ evidences: [] }), 0],
    ['no JSON', 'No devices were found', 0],
    ['a device without a report', JSON.stringify({ evidences: [{ certificate: '' }] }), 0],
    ['a report over another nonce', printed({ evidences: [{ ...device, evidence: base64(reportOver(new Uint8Array(32))) }] }), 0],
  ] as const) {
    it(`is refused with ${name}`, async () => {
      await rejectsCode(collect(await nvattest(output, exitCode)), 'STUN_GPU_COLLECTION');
    });
  }

  it('is refused where the program is missing, hangs or is stopped', async () => {
    await rejectsCode(collect(join(folder, 'absent')), 'STUN_GPU_COLLECTION');
    const path = join(folder, 'hanging');
    await writeFile(path, '#!/bin/sh\nexec sleep 60\n');
    await chmod(path, 0o755);
    await rejectsCode(collectGpus(nonce, { command: path, timeoutMs: 100 }), 'STUN_GPU_COLLECTION');
    const stop = new AbortController();
    const stopped = rejectsCode(
      collectGpus(nonce, { command: path, timeoutMs: 86_400_000, signal: stop.signal }),
      'STUN_GPU_COLLECTION',
    );
    stop.abort();
    await stopped;
    const late = { command: await nvattest(printed({})), timeoutMs: 30_000, signal: stop.signal };
    await rejectsCode(collectGpus(nonce, late), 'STUN_GPU_COLLECTION');
  });

  it('is asked for without the secrets that the environment holds', async () => {
    const path = join(folder, 'curious');
    await writeFile(path, `#!/bin/sh\nenv > '${folder}/environment'\ncat <<'END'\n${printed({})}\nEND\n`);
    await chmod(path, 0o755);
    const variables = {
      STUN_WORKER_PROVIDER_KEY: `0x${'4c'.repeat(32)}`,
      AWS_SECRET_ACCESS_KEY: 'secret',
      NVIDIA_API_KEY: 'secret',
      NVIDIA_SETTING: 'kept',
    };
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      await collect(path);
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    const seen = (await readFile(join(folder, 'environment'), 'utf8')).split('\n');
    assert.deepEqual(
      seen.filter((line) => /^STUN_|SECRET|API_KEY/.test(line)),
      [],
    );
    assert.ok(seen.includes('NVIDIA_SETTING=kept'));
    assert.ok(seen.some((line) => line.startsWith('PATH=')));
  });

  it('is bound by its reports in their order', () => {
    const [a, b] = [Uint8Array.of(1), Uint8Array.of(2, 3)];
    assert.deepEqual(gpuEvidenceDigestOf([]), new Uint8Array(32));
    const digests = [[a, b], [b, a], [a], [concatBytes(a, b)]].map((reports) => toHex(gpuEvidenceDigestOf(reports)));
    assert.equal(new Set(digests).size, 4);
    assert.deepEqual(gpuEvidenceDigestOf([a, b]), computeGpuEvidenceDigest([a, b]), 'as verifiers compute it');
  });
});
