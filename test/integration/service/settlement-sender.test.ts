/** The service's settlement sender on the real contracts; the verifier takes any proof, since proofs are not the point here. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { contractsOf } from '#chain/deployment.ts';
import { fieldToHex, SETTLEMENT_SIGNALS, type StunError, type SettlementSignals } from '#protocol/index.ts';
import type { SettlementProof } from '#prover/interface.ts';
import { openSettlementSender } from '#service/composition/settlement-sender.ts';
import { checkSettings } from '#service/config.ts';
import { openDatabase, type Database } from '#service/db/open.ts';
import type { SendOutcome, SettlementSender } from '#service/ports.ts';
import { Secret } from '#service/secret.ts';
import { createLog } from '#service/telemetry/log.ts';
import {
  NO_PROOF,
  openOrder,
  registerEnclave,
  signalsFor,
  startStage,
  type Stage,
  type StageOrder,
} from '#test/contracts/stage.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { copyMigratedStore } from './kept-store.ts';

const ZERO = fieldToHex(0n);

function proofOf(signals: SettlementSignals): SettlementProof {
  return {
    circuit: 'settlement-16',
    familyId: ZERO,
    a: [ZERO, ZERO],
    b: [
      [ZERO, ZERO],
      [ZERO, ZERO],
    ],
    c: [ZERO, ZERO],
    signals: SETTLEMENT_SIGNALS.map((name) => fieldToHex(signals[name])),
    timings: { witnessMs: 0, proveMs: 0, verifyMs: 0 },
  };
}

describe('service: settlement sender', function () {
  this.timeout(60_000);
  let stage: Stage;
  let order: StageOrder;
  let db: Database;
  let sender: SettlementSender;
  const ended = Promise.withResolvers<StunError>();
  const directory = mkdtempSync(join(tmpdir(), 'stun-sender-'));

  before(async () => {
    stage = await startStage();
    await registerEnclave(stage);
    order = await openOrder(stage);
    await copyMigratedStore(directory);
    db = await openDatabase({ kind: 'pglite', directory });
    const deploymentPath = join(directory, 'deployment.json');
    writeFileSync(deploymentPath, JSON.stringify(stage.deployment));
    const settings = checkSettings({ deployment: deploymentPath, rpcUrl: stage.chain.url, chainPollMs: 50 });
    sender = await openSettlementSender(
      contractsOf(stage.deployment, stage.chain.provider),
      stage.chain.provider,
      db,
      new Secret(stage.provider.privateKey),
      settings,
      createLog('silent'),
      ended.resolve,
    );
  });
  after(async () => {
    await sender.close();
    await db.close();
    await stage.close();
    rmSync(directory, { recursive: true });
  });

  async function outcomeOf(key: string, signals: SettlementSignals): Promise<SendOutcome> {
    const place = { key, funder: stage.funder.address, orderKey: order.orderKey };
    await sender.submit({ ...place, proof: proofOf(signals), assurance: 0, answers: [] });
    for (let i = 0; i < 200; i++) {
      const outcome = await sender.outcome(key);
      if (outcome !== undefined && outcome.state !== 'pending') return outcome;
      await delay(50);
    }
    throw new Error('the sender came to no end');
  }

  it('takes a step for done that somebody else made, also when the lane has gone on since', async () => {
    const first = await signalsFor(stage, order);
    const second = await signalsFor(stage, order, { laneOld: first.laneNew });
    const { escrow } = stage.as(stage.provider);
    await escrow.settle(stage.funder.address, NO_PROOF, first);
    await escrow.settle(stage.funder.address, NO_PROOF, second);
    assert.deepEqual(await outcomeOf('passed', first), { state: 'done' });
    assert.deepEqual(await outcomeOf('newest', second), { state: 'done' });
  });

  it('settles the next step, and refuses one that does not start where the lane is', async () => {
    const lane = { laneIndex: 1 };
    const first = await signalsFor(stage, order, lane);
    assert.deepEqual(await outcomeOf('next', first), { state: 'done' });
    const elsewhere = await outcomeOf('elsewhere', await signalsFor(stage, order, { ...lane, laneOld: 5n }));
    assert.equal(elsewhere.state === 'refused' && elsewhere.code, 'STUN_SETTLE_LANE_MOVED');
  });

  it('says that it ended when another process took the account', async () => {
    sender.assertSending();
    await db.sql.updateTable('sender_account').set({ token: 'of another process' }).execute();
    assert.equal((await ended.promise).code, 'STUN_SENDER_CLAIM_LOST');
    throwsCode(() => sender.assertSending(), 'STUN_SENDER_CLAIM_LOST');
  });
});
