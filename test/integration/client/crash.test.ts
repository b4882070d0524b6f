/** kill -9 of a submitting client at each state of a job, then resume: identical bytes, one unbroken lane, every job served once. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchResult, openStore } from '#client/index.ts';
import { jobHeaderFromWire } from '#protocol/index.ts';
import { decodeFrame } from '#client/frame.ts';
import { sampleCases } from '#test/depth.ts';
import { customerEnv, ended, runCli, spawnCli } from '#test/integration/cli/run-cli.ts';
import { PASSPHRASE, startClientStage, type ClientStage } from './stage.ts';

const JOBS = 6;

describe('a client killed with kill -9 while it submits', function () {
  this.timeout(300_000);
  let stage: ClientStage;

  before(async () => {
    stage = await startClientStage();
  });
  beforeEach(async () => {
    stage.service.reset();
    await stage.addEnclave();
  });
  after(() => stage.close());

  /** Opens an order, submits six jobs in a child that `arm` kills, resumes and submits what is missing, and looks at everything. */
  const crash = async (arm: (kill: () => void, lanes: string) => void): Promise<void> => {
    const home = await stage.folder();
    const client = await stage.connect({ home });
    const order = await stage.openOrder(client);
    const env = await customerEnv(stage, home);
    const inputs = join(await stage.folder(), 'inputs.json');
    const jobs = Array.from({ length: JOBS }, (_, i) => ({ x: { dtype: 'int32', dims: [1], data: [i] } }));
    await writeFile(inputs, JSON.stringify(jobs));
    const child = spawnCli(['submit', inputs, '--max-price', '900', '--json'], env);
    const end = ended(child);
    arm(() => child.kill('SIGKILL'), join(home, 'lanes', order.orderKey));
    const { exitCode, stdout } = await end;
    assert.equal(exitCode, null, `the child ended by itself: ${stdout}`);
    stage.service.onReceived = () => undefined;

    const resumed = await runCli(['submit', '--resume', '--json'], env);
    assert.equal(resumed.exitCode, 0, resumed.stdout);
    const store = await openStore(home, PASSPHRASE);
    const [lane, ...others] = await store.lanes.ofOrder(order.orderKey);
    assert.equal(others.length, 0);
    const stored = (await lane?.files.jobs()) ?? [];
    if (stored.length < JOBS) {
      await writeFile(inputs, JSON.stringify(jobs.slice(stored.length)));
      const rest = await runCli(['submit', inputs, '--max-price', '900', '--json'], env);
      assert.equal(rest.exitCode, 0, rest.stdout);
    }
    const all = await (await store.lanes.ofOrder(order.orderKey))[0]!.files.jobs();
    assert.equal(all.length, JOBS);
    const bodies = Map.groupBy(stage.service.received, ({ jobId }) => jobId);
    const values: number[] = [];
    for (const { k, jobId } of all) {
      const sent = bodies.get(jobId) ?? [];
      assert.ok(sent.length >= 1, `job ${k} was never sent`);
      for (const { bytes } of sent) assert.deepEqual(bytes, sent[0]?.bytes, `job ${k} was sent with other bytes`);
      assert.equal(jobHeaderFromWire(decodeFrame(sent[0]!.bytes).document).k, k);
      const { tensors, checked } = await fetchResult(client, jobId, { timeoutMs: 0 });
      assert.equal(checked.status, 'served');
      values.push(new DataView(tensors[0]!.data.buffer).getInt32(0, true));
    }
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5]);
    client.close();
  };

  for (const at of sampleCases([1, 2, 4, JOBS], 2)) {
    it(`when the service has received demand ${at} and not answered`, () =>
      crash((kill) => {
        const seen = new Set<string>();
        stage.service.onReceived = (jobId) => {
          if (seen.add(jobId).size === at) kill();
        };
      }));
  }

  for (const count of sampleCases([1, 3], 1)) {
    it(`when demand ${count} is on disk and perhaps not sent`, () =>
      crash((kill, lanes) => {
        const look = setInterval(() => {
          const written = existsSync(lanes)
            ? readdirSync(lanes, { recursive: true }).filter((name) => String(name).endsWith('.job'))
            : [];
          if (written.length < count) return;
          clearInterval(look);
          kill();
        }, 1);
      }));
  }
});
