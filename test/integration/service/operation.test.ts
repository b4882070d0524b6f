/** What time and operators do: leases, silent enclaves, retention, webhooks, readiness, metrics, stopping. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import { assessEar } from '#attestation/ear/assess.ts';
import { defaultPolicy } from '#attestation/index.ts';
import { parseJwks } from '#attestation/jose/jwks.ts';
import { fromHex } from '#protocol/index.ts';
import { releaseGone } from '#service/jobs/lease.ts';
import type { RunningService } from '#service/service.ts';
import { assertProblem, type ApiClient } from './api-client.ts';
import { testedEngines } from './engines.ts';
import { startHangingNode, type HangingNode } from './hanging-node.ts';
import { TestLane, type MadeJob } from './lane.ts';
import { ROLE, World, type WorldEnclave, type WorldOrder } from './world.ts';

for (const engine of testedEngines()) {
  engine.describe(`service: time and operation, on ${engine.name}`, function () {
    this.timeout(60_000);
    let world: World;
    let node: HangingNode;
    let service: RunningService;
    let customer: ApiClient;
    let worker: ApiClient;
    let enclave: WorldEnclave;
    let order: WorldOrder;
    /** Added to the clock of the service. */
    let skipMs = 0;
    const log: string[] = [];
    let lanes = 0;

    before(async () => {
      world = await World.create(engine);
      node = await startHangingNode(world.chain.url);
      const change = {
        rpcUrl: node.url,
        webhookPrivateAddresses: true,
        leaseSeconds: 30,
        enclaveGoneSeconds: 5000,
        payloadRetentionSeconds: 3600,
        resultRetentionSeconds: 7200,
        readinessQuoteMaxAgeSeconds: 1200,
        sessionSeconds: 86_400,
      };
      service = await world.startService(change, {
        nowMs: () => Date.now() + skipMs,
        log: { write: (line: string) => void log.push(line) },
      });
      customer = await world.client(service, ROLE.funder);
      worker = await world.client(service, ROLE.provider);
      const unready = await customer.get('/readyz');
      assertProblemFree(unready, false);
      assert.equal(unready.json.checks.find((check: { name: string }) => check.name === 'worker-quote').code, 'STUN_NOT_READY');
      enclave = await world.registerEnclave();
      assert.equal((await worker.post('/v1/enclaves', enclave.listing)).status, 201);
      order = await world.openOrder();
      assert.equal((await customer.post('/v1/orders', order.announcement)).status, 201);
    });

    after(async () => {
      await world.close();
      node.close();
    });

    function assertProblemFree(answer: { status: number; json: { ready: boolean } }, ready: boolean): void {
      assert.deepEqual([answer.status, answer.json.ready], [ready ? 200 : 503, ready]);
    }

    const lease = () => worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 0 });
    async function submitted(lane: TestLane): Promise<MadeJob> {
      const job = await lane.next();
      const answer = await customer.frame('/v1/jobs', job.wire, job.envelope);
      assert.equal(answer.status, 201, JSON.stringify(answer.json));
      return job;
    }
    async function until(holds: () => Promise<boolean>): Promise<void> {
      for (let i = 0; !(await holds()); i++) {
        assert.ok(i < 100, 'it never came to hold');
        await delay(50);
      }
    }
    async function stateOf(job: MadeJob, state: string): Promise<Record<string, string>> {
      for (let i = 0; ; i++) {
        const view = (await customer.get(`/v1/jobs/${job.jobId}`)).json;
        if (view.state === state) return view;
        assert.ok(i < 100, `expected ${state}, got ${JSON.stringify(view)}`);
        await delay(50);
      }
    }

    it('is ready once a listed worker has made a real quote, and asks for the next one in time', async () => {
      assertProblemFree(await customer.get('/readyz'), true);
      const before = skipMs;
      skipMs += 700_000;
      const asked = await lease();
      const nonce = asked.headers.get('stun-quote-nonce');
      assert.match(nonce ?? '', /^0x[0-9a-f]{64}$/);
      const wrong = enclave.machine.evidence(fromHex(enclave.keysetDigest, 32), new Uint8Array(32).fill(9));
      const quote = (bytes: Uint8Array) =>
        worker.post('/v1/worker/quotes', { keysetDigest: enclave.keysetDigest, evidence: new TextDecoder().decode(bytes) });
      assertProblem(await quote(wrong), 'STUN_EVIDENCE_NONCE', 422);
      const right = await quote(enclave.machine.evidence(fromHex(enclave.keysetDigest, 32), fromHex(nonce!, 32)));
      assert.equal(right.status, 200, JSON.stringify(right.json));
      assert.equal((await lease()).headers.get('stun-quote-nonce'), null);
      assertProblemFree(await customer.get('/readyz'), true);
      skipMs = before;
    });

    it('signs what it finds of evidence, with a key that it publishes', async () => {
      const answer = await customer.post('/v1/evidence/verify', { evidence: new TextDecoder().decode(enclave.evidence) });
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      const keys = parseJwks(JSON.stringify((await customer.get('/v1/evidence/keys')).json));
      const { verified } = assessEar({
        token: answer.json.ear as string,
        keys,
        atUnix: Math.floor((Date.now() + skipMs) / 1000),
        issuer: null,
        policy: defaultPolicy,
        keysetDigest: { skip: 'no keyset was asked about' },
        evidenceSha256: createHash('sha256').update(enclave.evidence).digest(),
      });
      assert.deepEqual([verified?.kind, verified?.status, verified?.simulated], ['tdx', 'contraindicated', true]);
    });

    it('gives a job back to the queue when its lease runs out, and takes the late receipt all the same', async () => {
      const lane = new TestLane(order, enclave, lanes++);
      const job = await submitted(lane);
      const first = await lease();
      skipMs += 31_000;
      await stateOf(job, 'queued');
      assertProblem(await worker.get(`/v1/worker/leases/${first.json.leaseId as string}/payload`), 'STUN_LEASE', 409);
      const second = await lease();
      assert.equal(second.json.jobId, job.jobId);
      const made = await lane.serve(job.header, job.envelope);
      const late = await worker.frame(
        `/v1/worker/leases/${first.json.leaseId as string}/complete`,
        { record: made.record },
        made.sealed,
      );
      assert.deepEqual([late.status, late.json.state], [200, 'receipted']);
      const heartbeat = await worker.post(`/v1/worker/leases/${second.json.leaseId as string}/heartbeat`, { state: 'running' });
      assertProblem(heartbeat, 'STUN_LEASE', 409);
    });

    /** Only a store with several connections can have two transactions wait for each other. */
    if (engine.name === 'PostgreSQL') {
      /** Holds the rows of a query while `body` runs, and says when others wait for them. */
      const holding = async (
        query: string,
        body: (waiting: (count: number) => Promise<void>, run: (query: string) => Promise<unknown>) => Promise<void>,
      ): Promise<void> => {
        const { db } = service.services!;
        await db.transaction(async (trx) => {
          const run = (text: string): Promise<unknown> => trx.executeQuery(CompiledQuery.raw(text));
          await run(query);
          const waiting = async (count: number): Promise<void> => {
            for (let i = 0; ; i++) {
              const { rows } = await db.sql.executeQuery(
                CompiledQuery.raw(
                  `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
                ),
              );
              if (rows.length >= count) return;
              assert.ok(i < 200, `${rows.length} of ${count} wait`);
              await delay(25);
            }
          };
          await body(waiting, run);
        });
      };

      it('waits for a lane without holding the lease of its job', async () => {
        const lane = new TestLane(order, enclave, lanes++);
        const job = await submitted(lane);
        const leaseId = (await lease()).json.leaseId as string;
        let beat: Promise<{ status: number }> | undefined;
        await holding(`select 1 from lane where active_job = '${job.jobId}' for update`, async (waiting, run) => {
          beat = worker.post(`/v1/worker/leases/${leaseId}/heartbeat`, { state: 'running' });
          await waiting(1);
          await run(`select 1 from lease where lease_id = '${leaseId}' for update nowait`);
        });
        assert.equal((await beat)?.status, 200);
        await worker.post(`/v1/worker/leases/${leaseId}/decline`, { code: 'STUN_BUDGET', reason: 'enough' });
      });

      it('counts jobs that come at once against a budget one after the other', async () => {
        const small = await world.openOrder({ budget: 25_000n });
        assert.equal((await customer.post('/v1/orders', small.announcement)).status, 201);
        await submitted(new TestLane(small, enclave, 0));
        const jobs = [await new TestLane(small, enclave, 1).next(), await new TestLane(small, enclave, 2).next()];
        let answers: Promise<{ status: number }[]> | undefined;
        await holding(`select 1 from order_budget where order_key = '${small.orderKey}' for update`, async (waiting) => {
          answers = Promise.all(jobs.map((job) => customer.frame('/v1/jobs', job.wire, job.envelope)));
          await waiting(2);
        });
        assert.deepEqual((await answers)?.map(({ status }) => status).toSorted(), [201, 402]);
        for (const _ of ['the first', 'the one that fitted']) {
          const leaseId = (await lease()).json.leaseId as string;
          await worker.post(`/v1/worker/leases/${leaseId}/decline`, { code: 'STUN_BUDGET', reason: 'enough' });
        }
      });
    }

    it('sends signed webhooks and tries again when the receiver fails', async () => {
      log.length = 0;
      const got: { signature: string; body: string }[] = [];
      const server = createServer((request, response) => {
        let body = '';
        request.on('data', (chunk) => (body += String(chunk)));
        request.on('end', () => {
          got.push({ signature: String(request.headers['stun-signature']), body });
          response.writeHead(got.length === 1 ? 500 : 204).end();
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
      const made = await customer.post('/v1/webhooks', { url, events: ['job'] });
      assert.equal(made.status, 201, JSON.stringify(made.json));
      const job = await submitted(new TestLane(order, enclave, lanes++));
      for (let i = 0; got.length < 2; i++) {
        assert.ok(i < 300, `${got.length} deliveries`);
        await delay(50);
      }
      for (const { signature, body } of got) {
        const { t, v1 } = Object.fromEntries(signature.split(',').map((part) => part.split('='))) as { t: string; v1: string };
        assert.equal(
          v1,
          createHmac('sha256', made.json.secret as string)
            .update(`${t}.${body}`)
            .digest('hex'),
        );
        assert.equal((JSON.parse(body) as { data: { jobId: string } }).data.jobId, job.jobId);
      }
      assert.equal(got[0]!.body, got[1]!.body);
      assert.ok(
        log.some((line) => line.includes('"code":"STUN_WEBHOOK_DELIVERY"')),
        'the refusal is in the log',
      );
      assert.ok(!JSON.stringify((await customer.get('/v1/webhooks')).json).includes('whsec_'));
      assert.equal((await customer.delete(`/v1/webhooks/${made.json.id as string}`)).status, 204);
      server.closeAllConnections();
      server.close();
      const leased = await lease();
      await worker.post(`/v1/worker/leases/${leased.json.leaseId as string}/decline`, { code: 'STUN_BUDGET', reason: 'enough' });
    });

    it('deletes ciphertexts and results at their time, and on request', async () => {
      const serve = async (): Promise<MadeJob> => {
        const lane = new TestLane(order, enclave, lanes++);
        const job = await submitted(lane);
        assertProblem(await customer.delete(`/v1/jobs/${job.jobId}/data`), 'STUN_JOB_STATE', 409);
        const leased = await lease();
        const made = await lane.serve(job.header, job.envelope);
        await worker.frame(`/v1/worker/leases/${leased.json.leaseId as string}/complete`, { record: made.record }, made.sealed);
        return job;
      };
      const [kept, dropped] = [await serve(), await serve()];
      assert.equal((await customer.delete(`/v1/jobs/${dropped.jobId}/data`)).status, 204);
      assertProblem(await customer.get(`/v1/jobs/${dropped.jobId}/result`), 'STUN_DATA_DELETED', 410);
      assert.equal((await customer.get(`/v1/jobs/${kept.jobId}/result`)).status, 200);
      skipMs += 7_300_000;
      await until(async () => (await customer.get(`/v1/jobs/${kept.jobId}/result`)).status !== 200);
      assertProblem(await customer.get(`/v1/jobs/${kept.jobId}/result`), 'STUN_DATA_DELETED', 410);
      const left = await service.services!.db.sql.selectFrom('payload').select('job_id').execute();
      assert.deepEqual(left, []);
      assert.equal((await customer.get(`/v1/jobs/${kept.jobId}/receipt`)).status, 200, 'the receipt stays');
    });

    it('voids what waits for an enclave that went silent, and refuses new jobs for it', async () => {
      await lease();
      const lane = new TestLane(order, enclave, lanes++);
      const job = await submitted(lane);
      const services = service.services!;
      const laterMs = services.nowMs() + 5_001_000;
      const restarted = { ...services, nowMs: () => laterMs, startedAtMs: laterMs - 4_999_000 };
      assert.equal(await releaseGone(restarted), 0, 'a service that was away itself has seen nobody and waits as long again');
      skipMs += 5_001_000;
      assert.equal((await stateOf(job, 'void'))['code'], 'STUN_ENCLAVE_GONE');
      const next = await new TestLane(order, enclave, lanes++).next();
      assertProblem(await customer.frame('/v1/jobs', next.wire, next.envelope), 'STUN_ENCLAVE_GONE', 409);
      assert.deepEqual((await customer.get('/v1/enclaves')).json.items, []);
      await lease();
      assert.equal((await customer.get('/v1/enclaves')).json.items.length, 1);
    });

    it('takes a receipt that verifies for a job that it had given up, and hands out its result', async () => {
      const lane = new TestLane(order, enclave, lanes++);
      const job = await submitted(lane);
      const leased = await lease();
      skipMs += 5_001_000;
      await stateOf(job, 'void');
      const made = await lane.serve(job.header, job.envelope);
      const path = `/v1/worker/leases/${leased.json.leaseId as string}/complete`;
      const late = await worker.frame(path, { record: made.record }, made.sealed);
      assert.deepEqual([late.status, late.json.state], [200, 'receipted']);
      const view = (await customer.get(`/v1/jobs/${job.jobId}`)).json;
      assert.deepEqual([view.state, view.outcome, view.code], ['receipted', 'served', undefined]);
      assert.deepEqual(Buffer.from((await customer.get(`/v1/jobs/${job.jobId}/result`)).bytes), Buffer.from(made.sealed));
    });

    it('shows jobs, queues and memory to Prometheus', async () => {
      const text = new TextDecoder().decode((await customer.get('/metrics')).bytes);
      for (const line of [
        /^stun_service_jobs\{state="receipted"\} [1-9]/m,
        /^stun_service_queue_waiting\{queue="prove"\} \d+/m,
        /^stun_service_prover_memory_bytes\{part="rss"\} \d+/m,
        /^stun_service_prover_memory_bytes\{part="planned"\} \d+/m,
        /^stun_service_prover_tasks\{state="waiting_for_memory"\} 0/m,
        /^stun_service_request_seconds_bucket\{/m,
        /^stun_process_resident_memory_bytes \d+/m,
      ]) {
        assert.match(text, line);
      }
    });

    it('ends queued jobs with the order', async () => {
      const short = await world.openOrder({ deadlineSeconds: 3600 + Math.ceil(skipMs / 1000) });
      assert.equal((await customer.post('/v1/orders', short.announcement)).status, 201);
      await lease();
      const job = await submitted(new TestLane(short, enclave, 0));
      const openings = service.services!.db.sql.selectFrom('opening').select('order_key').orderBy('expires_at_unix');
      for (const one of [short, order]) {
        const opening = await new TestLane(one, enclave, 9).opening();
        assert.equal((await customer.put(`/v1/orders/${one.orderKey}/openings/${enclave.keysetDigest}`, opening)).status, 204);
      }
      skipMs += 3_700_000;
      assert.equal((await stateOf(job, 'expired'))['code'], 'STUN_JOB_EXPIRED');
      assert.deepEqual(await openings.execute(), [{ order_key: short.orderKey }, { order_key: order.orderKey }]);
      skipMs += 3_600_000;
      await until(async () => (await openings.execute()).length === 1);
      assert.deepEqual(await openings.execute(), [{ order_key: order.orderKey }], 'the opening of an open order stays');
    });

    it('deletes events, ended leases and ended transactions at their time', async () => {
      const { sql } = service.services!.db;
      const nowMs = Date.now() + skipMs;
      const old = nowMs - 91 * 86_400_000;
      const [gone, kept] = await sql.selectFrom('job').selectAll().orderBy('created_at_ms').limit(2).execute();
      await sql.updateTable('event').set({ created_at_ms: old }).where('job_id', '=', gone!.job_id).execute();
      await sql.updateTable('lease').set({ created_at_ms: old }).execute();
      await sql
        .updateTable('lease')
        .set({ state: 'active', expires_at_ms: nowMs + 86_400_000 })
        .where('job_id', '=', kept!.job_id)
        .execute();
      const segment = {
        segment_id: 's',
        lane_id: kept!.lane_id,
        order_key: kept!.order_key,
        provider: kept!.provider,
        lane_index: 0,
      };
      const sums = {
        bundle: '{}',
        bundle_sha256: '',
        lane_old: '0',
        lane_new: '1',
        receipts_root: '0',
        total: '0',
        proofs_made: 1,
        sends: 0,
      };
      await sql
        .insertInto('segment')
        .values({ ...segment, ...sums, first_k: 1, count: 1, state: 'proven', sent_key: 'asked', created_at_ms: nowMs })
        .execute();
      const intent = (key: string, sequence: number, ended: number | null) => ({
        key,
        sequence,
        chain_id: 1,
        account: 'a',
        revision: 1,
        intent: '{}',
        final: ended !== null,
        ended_at_ms: ended,
      });
      await sql
        .insertInto('sender_intent')
        .values([intent('old', 1, old), intent('asked', 2, old), intent('young', 3, nowMs), intent('open', 4, null)])
        .execute();
      const intents = sql.selectFrom('sender_intent').select('key').where('account', '=', 'a').orderBy('sequence');
      await until(async () => (await intents.execute()).length === 3);
      assert.deepEqual(await intents.execute(), [{ key: 'asked' }, { key: 'young' }, { key: 'open' }]);
      const leases = await sql.selectFrom('lease').select('job_id').distinct().execute();
      assert.deepEqual(leases, [{ job_id: kept!.job_id }]);
      assertProblem(await customer.get(`/v1/jobs/${gone!.job_id}/events`), 'STUN_DATA_DELETED', 410);
      assert.equal((await customer.get(`/v1/jobs/${gone!.job_id}`)).status, 200, 'the job stays');
      await sql.deleteFrom('segment').where('segment_id', '=', 's').execute();
    });

    it('deletes webhook deliveries at their time, delivered or not', async () => {
      const { sql } = service.services!.db;
      const nowMs = Date.now() + skipMs;
      const daysAgo = (days: number): number => nowMs - days * 86_400_000;
      await sql.insertInto('webhook').values({ id: 'w', account: 'a', url: 'u', events: 'job', created_at_ms: nowMs }).execute();
      const delivery = { webhook_id: 'w', body: '{}', attempts: 1, last_status: 200, created_at_ms: daysAgo(8) };
      await sql
        .insertInto('webhook_delivery')
        .values([
          { ...delivery, id: 'old', state: 'delivered', ended_at_ms: daysAgo(8) },
          { ...delivery, id: 'lost', state: 'waiting', ended_at_ms: null },
          { ...delivery, id: 'young', state: 'failed', ended_at_ms: nowMs, created_at_ms: daysAgo(6) },
        ])
        .execute();
      const kept = (): Promise<{ id: string }[]> => sql.selectFrom('webhook_delivery').select('id').execute();
      await until(async () => (await kept()).length === 1);
      assert.deepEqual(await kept(), [{ id: 'young' }]);
    });

    it('is not ready and has failed once another process took the account of its sender', async () => {
      const readyOf = async () =>
        (await customer.get('/readyz')).json.checks.find((check: { name: string }) => check.name === 'settlement-sender');
      assert.deepEqual(await readyOf(), { name: 'settlement-sender', ok: true });
      await service.services!.db.sql.updateTable('sender_account').set({ token: 'of another process' }).execute();
      assert.equal((await service.failed).code, 'STUN_SENDER_CLAIM_LOST');
      assert.deepEqual(await readyOf(), { name: 'settlement-sender', ok: false, code: 'STUN_SENDER_CLAIM_LOST' });
    });

    it('stops with an open stream, a waiting worker and a node that hangs, and answers nothing afterwards', async () => {
      const stream = customer.events(`/v1/orders/${order.orderKey}/events`, () => false, '100000');
      const poll = worker.post('/v1/worker/leases', { keysetDigest: enclave.keysetDigest, waitMs: 20_000 });
      // A request whose connection is open when the stop begins gets an answer, and it is no.
      const open = connect(service.port, '127.0.0.1');
      await once(open, 'connect');
      open.write('GET /v1/jobs HTTP/1.1\r\nhost: x\r\n');
      await delay(200);
      await node.hang();
      const started = Date.now();
      const stopped = service.stop();
      let answer = '';
      open.setEncoding('utf8').on('data', (text: string) => (answer += text));
      const ended = once(open, 'close');
      open.write('\r\n');
      await stopped;
      assert.ok(Date.now() - started < 10_000, `stopping took ${Date.now() - started} ms`);
      assert.deepEqual(await stream, []);
      assert.equal((await poll).status, 204);
      await ended;
      assert.match(answer, /^HTTP\/1\.1 503 /);
      assert.equal((JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '{}') as { code?: string }).code, 'STUN_STOPPING');
      await assert.rejects(customer.get('/healthz'));
    });
  });
}
