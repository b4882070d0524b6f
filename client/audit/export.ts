/** Making an audit bundle from the customer's own store and its own node; the service is asked only for results not fetched yet. */
import { Interface } from 'ethers';
import {
  ASSURANCE,
  eddsaToWire,
  fieldToHex,
  openingToWire,
  StunError,
  publicModelToWire,
  toHex,
  unpackPayee,
  utf8,
  type ReceiptRecord,
} from '#protocol/index.ts';
import { evidenceDigest } from '#attestation/index.ts';
import { artifacts } from '#chain/artifacts.ts';
import type { ProofPoints } from '#chain/escrow.ts';
import type { Settled } from '#chain/escrow-events.ts';
import type { ClientConnection } from '../connection.ts';
import { inferenceProofOf } from '../inference-proof.ts';
import { fetchResult, type JobResult } from '../result.ts';
import type { JobPlace } from '../store/lane-files.ts';
import type { LaneRecord } from '../store/lane-record.ts';
import type { StoredLane } from '../store/lanes.ts';
import type { OrderRecord } from '../store/order-record.ts';
import type { AuditBundle, AuditEnclave, AuditJob, AuditSegment } from './bundle.ts';
import { courtRecordOf } from './export-court.ts';
import { proofFromChain } from '#chain/proof-forms.ts';
import { fetchTransaction, readTransaction } from './transactions.ts';

/** What of an order goes into a bundle. */
export interface AuditScope {
  /** Only the segment that holds this job. */
  readonly jobId?: string;
  /** Only the segment that ends with this head. */
  readonly laneNew?: string;
  /** Whose inputs and outputs stand in clear: of all jobs, of the one named, or of none. */
  readonly open: 'all' | 'job' | 'none';
}

/** Where verification keys come from: the encoding of docs/protocol.md section 3 by family. */
export type KeySource = (family: string) => Promise<{ readonly key: Uint8Array; readonly maxJobs: number }>;

/** Jobs of one lane that settle or will settle together. */
interface SegmentPlan {
  readonly lane: StoredLane;
  readonly jobs: readonly JobPlace[];
  readonly settled: Settled | undefined;
}

/**
 * Collects a bundle.
 * @throws `STUN_JOB_NOT_STORED`, `STUN_JOB_PENDING`, `STUN_CHAIN_DISAGREES`, and what fetching results throws
 */
export async function exportAuditBundle(
  client: ClientConnection,
  order: OrderRecord,
  scope: AuditScope,
  keys: KeySource,
  progress: (line: string) => void = () => undefined,
): Promise<AuditBundle> {
  const { escrow, deployment } = client.contracts;
  progress('reading the settlements of the order');
  const settlements = await escrow.settlements(deployment.deployBlock, { orderKey: order.orderKey });
  const plans: SegmentPlan[] = [];
  for (const lane of await client.store.lanes.ofOrder(order.orderKey)) plans.push(...(await plansOf(lane, settlements)));
  const wanted = plans.filter((plan) => isWanted(plan, scope));
  if (wanted.length === 0) throw new StunError('STUN_JOB_NOT_STORED', 'the store has no receipted job of this scope');

  const isChallengeable = order.terms.assurance === ASSURANCE.challengeable;
  const enclaves: AuditEnclave[] = [];
  const places = new Map<string, number>();
  const segments: AuditSegment[] = [];
  for (const [i, plan] of wanted.entries()) {
    progress(`collecting segment ${i + 1} of ${wanted.length}`);
    const { keysetDigest } = plan.lane.record;
    let enclave = places.get(keysetDigest);
    if (enclave === undefined) {
      enclave = enclaves.push(await enclaveOf(client, order, plan.lane.record)) - 1;
      places.set(keysetDigest, enclave);
    }
    const segment = await segmentOf(client, plan, enclave, scope);
    const court = isChallengeable && plan.settled ? await courtRecordOf(client, plan.settled) : undefined;
    segments.push({ ...segment, ...(court && { court }) });
  }
  const isSettled = segments.some((segment) => segment.settlement !== undefined);
  const key = isSettled ? await keys(order.terms.settlementFamily) : undefined;
  return {
    format: 'stun-audit/1',
    order: {
      opening: openingToWire(order),
      policy: order.policyText,
      ...(order.publicModel && { publicModel: publicModelToWire(order.publicModel) }),
      ...(order.openTransaction === undefined
        ? {}
        : { openTransaction: await fetchTransaction(client.provider, order.openTransaction) }),
    },
    enclaves,
    verificationKeys: key === undefined ? [] : [{ maxJobs: key.maxJobs, key: toHex(key.key) }],
    segments,
  };
}

function isWanted({ jobs }: SegmentPlan, { jobId, laneNew }: AuditScope): boolean {
  if (jobId !== undefined) return jobs.some((job) => job.jobId === jobId);
  return laneNew === undefined || jobs.at(-1)?.jobId === laneNew;
}

/** The segments of a lane: those the chain has settled, then what is receipted since. */
async function plansOf(lane: StoredLane, settlements: readonly Settled[]): Promise<SegmentPlan[]> {
  const { provider, laneIndex } = lane.record;
  const jobs = await lane.files.jobs();
  const heads = [0n, ...jobs.map((job) => BigInt(job.jobId))];
  const own = settlements.filter((event) => event.provider === provider && event.laneIndex === laneIndex);
  const plans: SegmentPlan[] = [];
  let settledK = 0;
  for (const settled of own) {
    const from = heads.indexOf(settled.laneOld);
    const to = heads.indexOf(settled.laneNew);
    if (from < 0 || to <= from) throw new StunError('STUN_CHAIN_DISAGREES', 'the chain settled heads that are not of this lane');
    plans.push({ lane, jobs: jobs.slice(from, to), settled });
    settledK = Math.max(settledK, to);
  }
  return [...plans, ...(await openPlans(lane, jobs.slice(settledK)))];
}

/** Receipted jobs that no settlement covers yet, cut where the enclave cut its segments. */
async function openPlans(lane: StoredLane, jobs: readonly JobPlace[]): Promise<SegmentPlan[]> {
  const groups = new Map<bigint, JobPlace[]>();
  for (const job of jobs) {
    const outcome = await lane.files.outcome(job.jobId);
    if (outcome?.kind !== 'receipted') break;
    const { fromHead } = outcome.record.statement;
    groups.set(fromHead, [...(groups.get(fromHead) ?? []), job]);
  }
  return [...groups.values()].map((group) => ({ lane, jobs: group, settled: undefined }));
}

const registryInterface = new Interface(artifacts.EnclaveRegistry.abi);
const escrowInterface = new Interface(artifacts.OrderEscrow.abi);

async function enclaveOf(client: ClientConnection, order: OrderRecord, lane: LaneRecord): Promise<AuditEnclave> {
  const { registry, deployment } = client.contracts;
  const events = await registry.registrations(deployment.deployBlock, 'latest', lane.provider);
  const registered = events.findLast(
    (event) => event.keysetDigest === lane.keysetDigest && event.policyId === order.opening.policyId,
  );
  if (registered === undefined) throw new StunError('STUN_CHAIN_DISAGREES', 'the chain has no registration of the enclave');
  const transaction = readTransaction(await fetchTransaction(client.provider, registered.place.transactionHash));
  const call = registryInterface.parseTransaction({ data: transaction.data });
  if (call?.name !== 'register') throw new StunError('STUN_CHAIN_DISAGREES', 'the enclave was not registered by attestors');
  const approvals = call.args[1] as readonly { attestor: string; nonce: bigint; deadline: bigint; signature: string }[];
  return {
    keyset: toHex(lane.keysetBytes),
    evidence: lane.evidenceText,
    leafExpiresAtUnix: registered.expiresAtUnix,
    ...(registered.evidenceDigest === toHex(evidenceDigest(utf8(lane.evidenceText)))
      ? {}
      : { approvedEvidenceDigest: registered.evidenceDigest }),
    approvals: approvals.map(({ attestor, nonce, deadline, signature }) => ({
      attestor: attestor.toLowerCase(),
      nonce: nonce.toString(),
      deadlineUnix: Number(deadline),
      signature,
    })),
  };
}

async function segmentOf(
  client: ClientConnection,
  { lane, jobs, settled }: SegmentPlan,
  enclave: number,
  scope: AuditScope,
): Promise<AuditSegment> {
  const results: JobResult[] = [];
  for (const { jobId } of jobs) results.push(await fetchResult(client, jobId, { timeoutMs: 0 }));
  const last = results.at(-1)?.outcome.record;
  if (last === undefined) throw new StunError('STUN_INTERNAL', 'a segment without jobs was planned');
  const isStart = jobs[0]?.k === 1;
  return {
    enclave,
    laneIndex: lane.record.laneIndex,
    fromHead: isStart ? null : fieldToHex(last.statement.fromHead),
    jobs: await Promise.all(
      results.map(async (result) => {
        const open = scope.open === 'all' || (scope.open === 'job' && result.jobId === scope.jobId);
        const inferenceProof = await inferenceProofOf(client, result);
        return { ...jobOf(result, open), ...(inferenceProof && { inferenceProof }) };
      }),
    ),
    statementSignature: eddsaToWire(last.statementSignature),
    ...(settled === undefined ? {} : { settlement: await settlementOf(client, settled) }),
  };
}

function jobOf({ job, outcome, checked }: JobResult, open: boolean): AuditJob {
  const { receipt, receiptSignature }: ReceiptRecord = outcome.record;
  return {
    inputCommitment: fieldToHex(job.header.inputCommitment),
    maxPrice: job.header.maxPrice.toString(),
    demandSignature: eddsaToWire(job.header.signature),
    receipt: {
      outputCommitment: fieldToHex(receipt.outputCommitment),
      price: receipt.price.toString(),
      deliveryDigest: fieldToHex(receipt.deliveryDigest),
      status: receipt.status,
      startedAtUnix: receipt.startedAtUnix,
      finishedAtUnix: receipt.finishedAtUnix,
    },
    receiptSignature,
    ...(open
      ? {
          opened: {
            input: { payload: toHex(job.payload), blinding: fieldToHex(job.inputBlinding) },
            output: { payload: toHex(checked.payload), blinding: fieldToHex(checked.outputBlinding) },
            sealedResult: toHex(outcome.sealedResult),
          },
        }
      : {}),
  };
}

async function settlementOf(client: ClientConnection, settled: Settled): Promise<NonNullable<AuditSegment['settlement']>> {
  const transaction = await fetchTransaction(client.provider, settled.place.transactionHash);
  const call = escrowInterface.parseTransaction({ data: readTransaction(transaction).data });
  if (call === null || !['settle', 'settleProven', 'settleChallengeable'].includes(call.name)) {
    throw new StunError('STUN_CHAIN_DISAGREES', 'the segment was settled through another contract');
  }
  const proof = call.args[1] as ProofPoints;
  const signals = call.args[2] as bigint[];
  return {
    proof: proofFromChain(proof),
    enclaveRoot: fieldToHex(signals[0] ?? 0n),
    validAtUnix: unpackPayee(signals[5] ?? 0n).validAtUnix,
    transaction,
  };
}
