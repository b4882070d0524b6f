/** The settlement sender: chain/sender on the service's store, signing with the operator's key. */
import { Wallet, type JsonRpcProvider } from 'ethers';
import type { StunContracts } from '#chain/deployment.ts';
import { proofToChain } from '#chain/proof-forms.ts';
import { RPC_REQUEST_TIMEOUT_MS } from '#chain/rpc-provider.ts';
import { TransactionSender } from '#chain/sender/sender.ts';
import { answerSubmission, courtStepIsDone, finaliseSubmission } from '#chain/sender/court.ts';
import { settlementIsDone, settlementSubmission } from '#chain/sender/settlement.ts';
import { levelSettlementOf } from '#chain/settle-at-level.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Settings } from '../config.ts';
import type { Database } from '../db/open.ts';
import { SqlSenderStore } from '../db/sender-store.ts';
import type { SettlementSender } from '../ports.ts';
import type { Secret } from '../secret.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';

/**
 * Opens the sender and runs it until it is closed. Waits for another process's claim to run out.
 * @param onEnded - told when the sender ended by itself (`STUN_SENDER_CLAIM_LOST`): nothing is sent after that
 */
export async function openSettlementSender(
  contracts: StunContracts,
  provider: JsonRpcProvider,
  db: Database,
  operatorKey: Secret<string>,
  settings: Settings,
  log: Logger,
  onEnded: (error: StunError) => void,
): Promise<SettlementSender> {
  const claimMs = settings.senderClaimSeconds * 1000;
  const store = new SqlSenderStore(db, claimMs);
  const { escrow, court, deployment } = contracts;
  const stop = new AbortController();
  const maxBackoffMs = Math.max(15_000, settings.chainPollMs);
  let ended: StunError | undefined;
  let trouble: { readonly error: StunError; readonly atMs: number } | undefined;
  const sender = await openWhenFree(
    () =>
      TransactionSender.open({
        chainId: deployment.chainId,
        signer: walletOf(operatorKey),
        store,
        rpc: (method, params) => provider.send(method, params),
        // Done is what moved the lane, whoever sent it and wherever the lane stands by now.
        isDone: courtStepIsDone(court, settlementIsDone(escrow, deployment.deployBlock)),
        policy: {
          confirmations: settings.confirmations,
          replaceAfterMs: 60_000,
          maxFeePerGasWei: BigInt(settings.maxFeePerGasWei),
        },
        pollIntervalMs: settings.chainPollMs,
        maxBackoffMs,
        requestTimeoutMs: RPC_REQUEST_TIMEOUT_MS,
        onProblem: (error) => {
          trouble = { error, atMs: Date.now() };
          log.warn({ event: 'sender.problem', ...errorFields(error) });
        },
      }),
    claimMs,
    log,
  );
  const running = sender.run(stop.signal).catch((thrown: unknown) => {
    const error = asStunError(thrown);
    ended = error;
    log.error({ event: 'sender.ended', ...errorFields(error) });
    onEnded(error);
  });
  return {
    async submit({ key, funder, ...batch }) {
      await sender.submit({ ...settlementSubmission(escrow, funder, levelSettlementOf(batch)), key });
    },
    async answer({ pairs, proof, attempt, ...challenged }) {
      await sender.submit(answerSubmission(court, challenged, pairs, proofToChain(proof), attempt));
    },
    async finalise(batchId, attempt) {
      await sender.submit(finaliseSubmission(court, batchId, attempt));
    },
    async outcome(key) {
      const intent = await store.load(key);
      if (intent === undefined) return undefined;
      if (intent.failure !== null) return { state: 'refused', ...intent.failure };
      return { state: intent.state === 'confirmed' ? 'done' : 'pending' };
    },
    assertSending() {
      if (ended !== undefined) throw ended;
      // A pass that fails again says so again within its pause.
      if (trouble === undefined || Date.now() - trouble.atMs > 2 * maxBackoffMs) return;
      if (trouble.error.code !== 'STUN_CHAIN_UNAVAILABLE') throw trouble.error;
    },
    async close() {
      stop.abort();
      await running;
      await sender.close();
    },
  };
}

function walletOf(key: Secret<string>): Wallet {
  try {
    return new Wallet(key.reveal());
  } catch {
    // The library's error could repeat the key.
    throw new StunError('STUN_CONFIG', 'operatorKey: the key is outside its range');
  }
}

/** A process that was killed holds its claim for a while. */
async function openWhenFree<T>(open: () => Promise<T>, claimMs: number, log: Logger): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += 1000) {
    try {
      return await open();
    } catch (thrown) {
      if (!(thrown instanceof StunError) || thrown.code !== 'STUN_SENDER_CLAIMED' || waitedMs > 2 * claimMs) throw thrown;
      if (waitedMs === 0) log.info({ event: 'sender.waiting', reason: 'another process holds the operator account' });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
