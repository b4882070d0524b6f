/**
 * kill -9 of a client while it opens an order and, at each state of a job, while it submits; then resume: one order, identical bytes, one
 * unbroken lane, every job served once.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodeInputs,
  fetchResult,
  openStore,
  resumeOpening,
  submitJobs,
  type ClientConnection,
  type OrderRecord,
} from '#client/index.ts';
import { fieldToHex, jobHeaderFromWire } from '#protocol/index.ts';
import { decodeFrame } from '#client/frame.ts';
import { sampleCases } from '#test/depth.ts';
import { customerEnv, ended, runCli, spawnCli } from '#test/integration/cli/run-cli.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { MODEL_ID, PASSPHRASE, startClientStage, type ClientStage } from './stage.ts';

const JOBS = 6;

describe('a client killed with kill -9', function () {
  this.timeout(300_000);
  let stage: ClientStage;

  before(async () => {
    stage = await startClientStage();
  });
  after(() => stage.close());

  describe('while it submits', () => {
    beforeEach(async () => {
      stage.service.reset();
      await stage.addEnclave();
    });

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

  describe('while it opens an order', () => {
    let client: ClientConnection;
    let funder: string;
    let stored: OrderRecord;
    let sentAt: number;

    afterEach(async () => {
      await stage.chain.request('evm_setAutomine', [true]);
      client.close();
    });

    const sent = (): Promise<number> => stage.chain.provider.getTransactionCount(funder, 'pending');
    async function untilSent(count: number): Promise<void> {
      const limit = Date.now() + 60_000;
      while ((await sent()) < count) {
        assert.ok(Date.now() < limit, 'the transaction was not sent');
        await sleep(20);
      }
    }

    /** Kills `stun order open` when its transaction is sent and not mined, and finds the order in its store. */
    async function killOpening(): Promise<Record<string, string>> {
      const home = await stage.folder();
      const env = await customerEnv(stage, home);
      client = await stage.connect({ home });
      funder = await client.signer().getAddress();
      sentAt = await sent();
      await stage.chain.request('evm_setAutomine', [false]);
      const options = ['--model-id', fieldToHex(MODEL_ID), '--budget', `${stage.provider}=1ether`, '--json'];
      const child = spawnCli(['order', 'open', ...options], env);
      const end = ended(child);
      await untilSent(sentAt + 1);
      child.kill('SIGKILL');
      const { exitCode, stdout } = await end;
      assert.equal(exitCode, null, `the child ended by itself: ${stdout}`);
      stored = await client.store.orders.only();
      assert.equal(stored.openTransaction, undefined, 'the store knows of an order, not that it is open');
      return env;
    }

    /** That the order was opened once, and that the store knows by what. */
    async function assertOpenedOnce(transactionHash: unknown): Promise<void> {
      const { escrow } = client.contracts;
      const opened = await escrow.ordersOpened(0, { funder, orderId: stored.orderId });
      assert.deepEqual(
        opened.map(({ place }) => place.transactionHash),
        [transactionHash],
      );
      assert.equal((await client.store.orders.only()).openTransaction, transactionHash);
      assert.equal((await escrow.budget(stored.orderKey, stage.provider)).funded, 10n ** 18n);
    }

    it('when its transaction is mined before it is resumed', async () => {
      const env = await killOpening();
      await stage.chain.request('evm_mine');
      const resume = ['order', 'open', '--resume', stored.orderKey, '--json'];
      const resumed = await runCli(resume, env);
      assert.equal(resumed.exitCode, 0, resumed.stdout);
      assert.equal(await sent(), sentAt + 1, 'nothing was sent again');
      await assertOpenedOnce((JSON.parse(resumed.stdout) as { transactionHash: string }).transactionHash);
    });

    it('when its transaction is mined while it is resumed', async () => {
      await killOpening();
      const resumed = resumeOpening(client, stored);
      const first = await Promise.race([resumed.then(() => 'resumed'), sleep(700, 'waits')]);
      assert.equal(first, 'waits');
      await stage.chain.request('evm_mine');
      await assertOpenedOnce((await resumed).transaction.transactionHash);
    });

    it('refuses to resume an order that the same funder opened with other terms', async () => {
      client = await stage.connect();
      stored = { ...(await stage.openOrder(client)), openTransaction: undefined };
      const { opening } = stored;
      const other = { ...stored, opening: { ...opening, domain: opening.domain + 1n } };
      await rejectsCode(resumeOpening(client, other), 'STUN_CHAIN_DISAGREES');
    });
  });

  it('while it fetches a result', async () => {
    stage.service.reset();
    await stage.addEnclave();
    const home = await stage.folder();
    const client = await stage.connect({ home });
    const order = await stage.openOrder(client);
    const payload = encodeInputs([{ name: 'x', dtype: 'int32', dims: [1], data: new Uint8Array(4) }]);
    const [job] = await submitJobs(client, order, [{ payload, maxPrice: 900n }]);
    const child = spawnCli(['result', job!.jobId, '--wait', '60s', '--json'], await customerEnv(stage, home));
    const end = ended(child);
    stage.service.onFetched = () => child.kill('SIGKILL');
    const { exitCode, stdout } = await end;
    stage.service.onFetched = () => undefined;
    assert.equal(exitCode, null, `the child ended by itself: ${stdout}`);
    const { files } = await client.store.lanes.find([order.orderKey], job!.jobId);
    assert.equal(await files.outcome(job!.jobId), undefined, 'nothing was stored');
    const { checked } = await fetchResult(client, job!.jobId, { timeoutMs: 0 });
    assert.equal(checked.status, 'served');
    client.close();
  });
});
