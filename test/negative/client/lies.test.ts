import assert from 'node:assert/strict';
import { defaultPolicy } from '#attestation/index.ts';
import { chooseEnclave, fetchResult, submitJobs, type ClientConnection, type OrderRecord } from '#client/index.ts';
import { deliveryDigestOf, encodeTensors, fieldToHex, StunError, type ErrorCode, type NamedTensor } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { DAY, startClientStage, type ClientStage, type StageEnclave } from '#test/integration/client/stage.ts';
import type { Lies } from '#test/integration/client/test-service.ts';

const tensor: NamedTensor = { name: 'x', dtype: 'float32', dims: [1], data: new Uint8Array(4) };
const jobs = [{ payload: encodeTensors([tensor]), maxPrice: 900n }];

/** The promise rejects with this code, and with this field named. */
async function rejectsField(promise: Promise<unknown>, code: ErrorCode, field: string): Promise<void> {
  let thrown: unknown;
  await promise.catch((error: unknown) => {
    thrown = error;
  });
  assert.ok(thrown instanceof StunError, 'it must be refused');
  assert.deepEqual([thrown.code, thrown.details['field']], [code, field]);
}

describe('client against a lying service or worker', function () {
  this.timeout(120_000);
  let stage: ClientStage;
  let client: ClientConnection;
  let order: OrderRecord;
  let enclave: StageEnclave;

  before(async () => {
    stage = await startClientStage();
    client = await stage.connect();
  });
  beforeEach(async () => {
    stage.service.reset();
    enclave = await stage.addEnclave();
    order = await stage.openOrder(client);
  });
  after(async () => {
    client.close();
    await stage.close();
  });

  const submit = () => submitJobs(client, order, jobs);
  const nothingSealed = async (code: ErrorCode): Promise<void> => {
    await rejectsCode(submit(), code);
    assert.equal(stage.service.received.length, 0, 'nothing may be sent');
    assert.deepEqual(await client.store.lanes.ofOrder(order.orderKey), [], 'no lane may be opened');
  };

  describe('seals nothing to', () => {
    it('a keyset that the service swapped for its own', async () => {
      const other = await stage.addEnclave();
      stage.service.reset();
      stage.service.list(enclave, { modelId: order.opening.modelId, price: 1n, policyId: order.opening.policyId });
      stage.service.lies = {
        enclave: (answer) => ({
          ...answer,
          keyset: `0x${Buffer.from(other.keysetBytes).toString('hex')}`,
          evidence: other.evidenceText,
        }),
      };
      await nothingSealed('STUN_KEYSET_SWAPPED');
    });

    it('a keyset that evidence of another enclave is shown for', async () => {
      const other = await stage.addEnclave();
      stage.service.reset();
      stage.service.list(enclave, { modelId: order.opening.modelId, price: 1n, policyId: order.opening.policyId });
      stage.service.lies = { enclave: (answer) => ({ ...answer, evidence: other.evidenceText }) };
      await nothingSealed('STUN_REPORT_DATA');
    });

    it('an enclave with a broken quote', async () => {
      const broken = (text: string): string => {
        const at = text.indexOf('"quote":"0x') + 11 + 2 * 700;
        return text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
      };
      stage.service.lies = { enclave: (answer) => ({ ...answer, evidence: broken(String(answer['evidence'])) }) };
      let thrown: unknown;
      await submit().catch((error: unknown) => {
        thrown = error;
      });
      assert.ok(thrown instanceof StunError);
      assert.match(thrown.code, /^STUN_(QUOTE|QE)_/);
      assert.equal(stage.service.received.length, 0);
    });

    it('simulated hardware when its root is not trusted', async () => {
      const strict = await stage.connect({ extraRoots: [] });
      const own = await stage.openOrder(strict);
      await rejectsCode(submitJobs(strict, own, jobs), 'STUN_ROOT_UNTRUSTED');
      strict.close();
    });

    it('simulated hardware when the policy does not admit it', async () => {
      const strict = await stage.openOrder(client, { policy: defaultPolicy });
      await rejectsCode(chooseEnclave(client, strict, { maxPrice: 900n }), 'STUN_POLICY_SIMULATED');
    });

    it('an enclave whose evidence has expired', async () => {
      const late = await stage.connect({ nowUnix: () => Math.floor(Date.now() / 1000) + 40 * DAY });
      const own = await stage.openOrder(late);
      let thrown: unknown;
      await submitJobs(late, own, jobs).catch((error: unknown) => {
        thrown = error;
      });
      late.close();
      assert.ok(thrown instanceof StunError);
      assert.match(thrown.code, /_EXPIRED$/);
    });

    it('an enclave whose nonce is no block of the chain', async () => {
      stage.service.reset();
      await stage.addEnclave({ nonce: new Uint8Array(32).fill(9) });
      await nothingSealed('STUN_EVIDENCE_STALE');
    });

    it('an enclave whose leaf expires within a day', async () => {
      stage.service.reset();
      await stage.addEnclave({ leafDays: 0.9 });
      await nothingSealed('STUN_ENCLAVE_EXPIRES_SOON');
    });

    it('an enclave that was retired on chain', async () => {
      const { contractsOf } = await import('#chain/deployment.ts');
      await contractsOf(stage.deployment, stage.chain.wallet(5)).registry.retire(enclave.keysetDigest);
      await nothingSealed('STUN_ENCLAVE_NOT_LIVE');
    });

    it('an enclave that was revoked on chain', async () => {
      const { contractsOf } = await import('#chain/deployment.ts');
      await contractsOf(stage.deployment, stage.chain.wallet(5)).registry.revoke(enclave.keysetDigest);
      await nothingSealed('STUN_ENCLAVE_NOT_LIVE');
    });

    it('anybody when no listed enclave fits', async () => {
      stage.service.reset();
      await nothingSealed('STUN_ENCLAVE_NONE');
    });

    it('a model that costs more than the customer allows', async () => {
      await rejectsCode(submitJobs(client, order, [{ ...jobs[0]!, maxPrice: 1n }]), 'STUN_ENCLAVE_NONE');
    });

    it('a job at a price that no job may have, nor one beside it', async () => {
      for (const maxPrice of [0n, 2n ** 63n, 2n ** 64n, 2n ** 64n + 1n])
        await rejectsCode(submitJobs(client, order, [jobs[0]!, { ...jobs[0]!, maxPrice }]), 'STUN_PRICE_CAP');
    });
  });

  describe('catches, and names the field of,', () => {
    const served = async (lies: Lies, code: ErrorCode, field: string): Promise<void> => {
      stage.service.lies = lies;
      const [sent] = await submit();
      stage.service.lies = {};
      await rejectsField(fetchResult(client, sent!.jobId, { timeoutMs: 0 }), code, field);
      const lane = (await client.store.lanes.ofOrder(order.orderKey))[0]!;
      assert.equal(await lane.files.outcome(sent!.jobId), undefined, 'a refused receipt is not kept');
    };
    const mismatch = 'STUN_RECEIPT_MISMATCH';

    it('a receipt for another demand', () =>
      served({ receipt: (receipt) => ({ ...receipt, demandHead: receipt.demandHead ^ 1n }) }, mismatch, 'demandHead'));
    it('a lie about the output commitment', () =>
      served({ receipt: (receipt) => ({ ...receipt, outputCommitment: 5n }) }, mismatch, 'outputCommitment'));
    it('another output than was committed to', () =>
      served(
        { delivered: (payload) => payload.map((byte, i) => (i === payload.length - 1 ? byte ^ 1 : byte)) },
        mismatch,
        'outputCommitment',
      ));
    it('other sealed bytes than were receipted', () =>
      served({ sealed: (sealed) => sealed.map((byte, i) => (i === 100 ? byte ^ 1 : byte)) }, mismatch, 'deliveryDigest'));
    it('a digest of other bytes', () =>
      served(
        { receipt: (receipt) => ({ ...receipt, deliveryDigest: deliveryDigestOf(new Uint8Array(3)) }) },
        mismatch,
        'deliveryDigest',
      ));
    it('an output blinding of its own', () => served({ blinding: 7n }, mismatch, 'outputBlinding'));
    it('a price above the maximum', () => served({ receipt: (receipt) => ({ ...receipt, price: 901n }) }, mismatch, 'price'));
    it('a failure that was receipted as served', () =>
      served({ fails: true, receipt: (receipt) => ({ ...receipt, status: 'served' }) }, mismatch, 'status'));
    it('a served job that was receipted as failed', () =>
      served({ receipt: (receipt) => ({ ...receipt, status: 'failed', price: 0n }) }, mismatch, 'status'));
    it('an end before the start', () =>
      served({ receipt: (receipt) => ({ ...receipt, finishedAtUnix: receipt.startedAtUnix - 1 }) }, mismatch, 'finishedAtUnix'));
    it('a statement for another model', () =>
      served({ statement: (statement) => ({ ...statement, modelId: 3n }) }, mismatch, 'modelId'));
    it('a statement from another head', () =>
      served({ statement: (statement) => ({ ...statement, fromHead: 3n }) }, mismatch, 'fromHead'));
    it('a statement that counts more jobs', () =>
      served({ statement: (statement) => ({ ...statement, count: 2 }) }, mismatch, 'count'));
    it('a statement with another total', () =>
      served({ statement: (statement) => ({ ...statement, total: 1n }) }, 'STUN_STATEMENT_MISMATCH', 'total'));
    it('a statement with another root', () =>
      served({ statement: (statement) => ({ ...statement, receiptsRoot: 1n }) }, 'STUN_STATEMENT_MISMATCH', 'receiptsRoot'));
  });

  it('refuses a receipt that another key signed', async () => {
    const [sent] = await submit();
    const job = stage.service.jobs.get(sent!.jobId)!;
    const other = await stage.addEnclave();
    const [foreign] = await submitJobs(client, order, jobs, { keysetDigest: other.keysetDigest });
    job.record = stage.service.jobs.get(foreign!.jobId)!.record!;
    await rejectsCode(fetchResult(client, sent!.jobId, { timeoutMs: 0 }), 'STUN_SIGNATURE');
  });

  it('refuses to sign in to another audience', async () => {
    stage.service.lies = { audience: 'https://bank.example' };
    const fresh = await stage.connect();
    const own = await stage.openOrder(fresh);
    await rejectsCode(submitJobs(fresh, own, jobs), 'STUN_SERVICE_RESPONSE');
    fresh.close();
  });

  it('ends a lane when the service refuses a demand for good, and says why', async () => {
    stage.service.lies = { refuse: { status: 402, code: 'STUN_BUDGET' } };
    await rejectsCode(submit(), 'STUN_BUDGET');
    stage.service.lies = {};
    const [lane] = await client.store.lanes.ofOrder(order.orderKey);
    assert.equal((await lane!.files.closure())?.code, 'STUN_BUDGET');
    const [next] = await submit();
    assert.equal(next!.laneIndex, 1);
  });

  it('keeps a lane when the service is only busy', async () => {
    stage.service.lies = { refuse: { status: 429, code: 'STUN_INPUT' } };
    await rejectsCode(submit(), 'STUN_INPUT');
    stage.service.lies = {};
    const [lane] = await client.store.lanes.ofOrder(order.orderKey);
    assert.equal(await lane!.files.closure(), undefined);
    const [next] = await submit();
    assert.deepEqual([next!.laneIndex, next!.k], [0, 2]);
    assert.equal(stage.service.jobs.size >= 2, true, 'the stored demand went first');
  });

  it('finds no job that is not its own', async () => {
    await rejectsCode(fetchResult(client, fieldToHex(5n), { timeoutMs: 0 }), 'STUN_JOB_NOT_STORED');
  });
});
