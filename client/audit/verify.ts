/**
 * Verifies an audit bundle without a network. Every field is bound by something that its author cannot make alone: the customer's
 * signatures over demand heads, the enclave's over receipts and statement, vendors' over evidence, attestors' over approvals, the
 * proof over its public signals, senders' over transactions. What an offline check cannot know is said as unknown, never passed over.
 */
import { Interface } from 'ethers';
import {
  ASSURANCE,
  fieldToHex,
  FIELD_ORDER,
  openedOrderFromWire,
  orderKeyOf,
  policyIdOf,
  StunError,
  utf8,
  asStunError,
  type Hex,
  type OpenedOrder,
  type PublicModel,
} from '#protocol/index.ts';
import { canonicalPolicyJson, parsePolicy, type Policy } from '#attestation/index.ts';
import { artifacts } from '#chain/artifacts.ts';
import { ORDER_FIELDS, parseAuditBundle, type AuditBundle } from './bundle.ts';
import { AuditLedger, refute, type AuditCheck, type AuditTrust } from './report.ts';
import { readTransaction } from './transactions.ts';
import { verifyEnclaveOf, type AuditedEnclave } from './verify-enclave.ts';
import { verifyKeys } from './verify-keys.ts';
import { verifyModel } from './verify-model.ts';
import { verifySegment, type AuditedSegment } from './verify-segment.ts';

/** The outcome of an audit. */
export interface AuditReport {
  /** Whether nothing was refuted. */
  readonly ok: boolean;
  /** Whether any enclave of the bundle is simulated hardware. */
  readonly simulated: boolean;
  readonly chain: 'not checked' | 'checked';
  readonly orderKey: Hex | null;
  readonly jobs: number;
  readonly served: number;
  /** Price units of all jobs, and of those under a proof in the bundle. */
  readonly total: string;
  readonly provenTotal: string;
  /** Level of the order; null when the order was refuted. */
  readonly assurance: keyof typeof ASSURANCE | null;
  /** Jobs whose answer a proof in the bundle shows to be the model's. */
  readonly inferencesProven: number;
  readonly checks: readonly AuditCheck[];
}

/** A bundle after the offline checks; what the chain is asked about. */
export interface AuditedBundle {
  readonly bundle: AuditBundle;
  readonly order: OpenedOrder;
  readonly orderKey: Hex;
  /** Of an order over a compiled model, where the bundle holds it. */
  readonly publicModel: PublicModel | undefined;
  readonly enclaves: readonly (AuditedEnclave | undefined)[];
  readonly segments: readonly (AuditedSegment | undefined)[];
}

/**
 * Makes every offline check and reports on all of them. Never throws for a bad bundle.
 * @param ledger - collects the checks; the caller may add those of the chain
 */
export function auditOffline(document: unknown, trust: AuditTrust, ledger: AuditLedger): AuditedBundle | undefined {
  const bundle = readForm(document, ledger);
  if (bundle === undefined) return undefined;
  const order = ledger.check({ id: 'order.id', field: 'order.opening', binds: ['order.opening'] }, () =>
    openedOrderFromWire(bundle.order.opening),
  );
  const policy = ledger.check(
    { id: 'order.policy', field: 'order.policy', binds: ['order.policy', 'order.opening.policyId'] },
    () => policyOf(bundle),
  );
  if (order === undefined || policy === undefined) return undefined;
  const orderKey = orderKeyOf(order.place.funder, order.orderId);
  verifyOpenTransaction(bundle, order, ledger);
  const keys = verifyKeys(bundle, order, ledger);
  const publicModel = verifyModel(bundle, order, ledger);
  const enclaves = bundle.enclaves.map((_, i) => verifyEnclaveOf(bundle, i, { order, policy, trust, ledger }));
  const segments = bundle.segments.map((segment, i) => {
    const enclave = enclaves[segment.enclave];
    if (enclave !== undefined) return verifySegment(bundle, i, { order, enclave, keys, publicModel, ledger });
    ledger.unknown(`segments[${i}]`, 'its enclave was refuted');
    return undefined;
  });
  return { bundle, order, orderKey, publicModel, enclaves, segments };
}

/** Reads the form; a refusal names each malformed field. */
function readForm(document: unknown, ledger: AuditLedger): AuditBundle | undefined {
  let paths: readonly string[] = [];
  try {
    readBundle(document);
  } catch (thrown) {
    const fields = asStunError(thrown).details['fields'];
    paths = Array.isArray(fields) ? (fields as readonly string[]).map(bracketed) : [];
  }
  const place = { id: 'format', field: paths[0] ?? '(whole document)', binds: paths };
  return ledger.check(place, () => readBundle(document));
}

function readBundle(document: unknown): AuditBundle {
  const bundle = parseAuditBundle(document);
  for (const [i, segment] of bundle.segments.entries()) {
    if (bundle.enclaves[segment.enclave] === undefined) {
      const details = { fields: [`segments.${i}.enclave`] };
      throw new StunError('STUN_AUDIT_FORMAT', `segments[${i}].enclave names no enclave of the bundle`, { details });
    }
  }
  return bundle;
}

/** `a.0.b` as `a[0].b`. */
function bracketed(path: string): string {
  return path.replace(/\.(\d+)(?=\.|$)/g, '[$1]');
}

function policyOf({ order }: AuditBundle): Policy {
  const policy = parsePolicy(order.policy);
  if (canonicalPolicyJson(policy) !== order.policy) refute('the policy is not in canonical form');
  if (fieldToHex(policyIdOf(utf8(order.policy))) !== order.opening.policyId)
    refute('the policy has another policyId than the order');
  return policy;
}

const escrowInterface = new Interface(artifacts.OrderEscrow.abi);

function verifyOpenTransaction({ order: wire }: AuditBundle, order: OpenedOrder, ledger: AuditLedger): void {
  const { openTransaction } = wire;
  if (openTransaction === undefined)
    return ledger.unknown('order.transaction', 'the bundle does not hold the opening transaction');
  const field = 'order.openTransaction';
  ledger.check({ id: 'order.transaction', field, binds: [field, ...ORDER_FIELDS] }, () => {
    const signed = readTransaction(openTransaction);
    const call = escrowInterface.parseTransaction({ data: signed.data });
    if (call === null || !['open', 'openWithPermit'].includes(call.name)) refute('the transaction opens no order');
    const opened = call.args[0] as { orderId: bigint; domain: bigint; token: string };
    const { place } = order;
    if (signed.to !== place.escrow || signed.chainId !== place.chainId) refute('the transaction is for another escrow or chain');
    if (signed.sender !== place.funder) refute('the transaction is not signed by the funder');
    if (opened.orderId !== order.orderId || opened.domain !== order.opening.domain) refute('the transaction opens another order');
    if (opened.orderId >= FIELD_ORDER) refute('the order id is not canonical');
  });
  return undefined;
}

/** The report over everything in the ledger. */
export function auditReport(audited: AuditedBundle | undefined, ledger: AuditLedger, chain: AuditReport['chain']): AuditReport {
  const segments = (audited?.segments ?? []).filter((segment) => segment !== undefined);
  const receipts = segments.flatMap((segment) => segment.receipts);
  const sum = (of: readonly AuditedSegment[]): bigint => of.reduce((total, segment) => total + segment.statement.total, 0n);
  return {
    ok: !ledger.refuted && audited !== undefined,
    simulated: (audited?.enclaves ?? []).some((enclave) => enclave?.evidence.simulated === true),
    chain,
    orderKey: audited?.orderKey ?? null,
    jobs: receipts.length,
    served: receipts.filter((receipt) => receipt.status === 'served').length,
    total: sum(segments).toString(),
    provenTotal: sum(segments.filter((segment) => segment.proven)).toString(),
    assurance: levelOf(audited?.order),
    inferencesProven: segments.reduce((count, segment) => count + segment.inferencesProven, 0),
    checks: ledger.list(),
  };
}

function levelOf(order: OpenedOrder | undefined): AuditReport['assurance'] {
  const names = ['attested', 'challengeable', 'proven'] as const;
  return names.find((name) => ASSURANCE[name] === order?.terms.assurance) ?? null;
}

/** Verifies a bundle offline: the whole of `stun audit verify` without `--rpc`. */
export function verifyAuditBundle(document: unknown, trust: AuditTrust): AuditReport {
  const ledger = new AuditLedger();
  const audited = auditOffline(document, trust, ledger);
  return auditReport(audited, ledger, 'not checked');
}
