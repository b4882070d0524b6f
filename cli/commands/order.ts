/** `stun order …`. */
import { fieldFromHex, fieldToHex, StunError, type Hex } from '#protocol/index.ts';
import { defaultPolicy, parsePolicy } from '#attestation/index.ts';
import {
  closeOrder,
  openOrder,
  orderState,
  refundOrder,
  resumeOpening,
  topUpOrder,
  type ClientConnection,
  type OpenedOnChain,
  type OrderLevel,
  type OrderPlan,
  type OrderRecord,
} from '#client/index.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer, readText } from '../settings.ts';
import { publicModelOf } from './public-model.ts';
import { tokenOf } from './token.ts';
import {
  parseAddress,
  parseAmount,
  parseBudget,
  parseDuration,
  parseTime,
  parseWhole,
  parseWord,
  showAmount,
  showTime,
} from '../values.ts';

/** Options of `order open`. */
export interface OrderOpenOptions {
  readonly modelId?: string;
  readonly compiledModel?: string;
  readonly level: string;
  readonly approvedBy?: readonly string[];
  readonly window: string;
  readonly answerPeriod: string;
  readonly bond: string;
  readonly slash: string;
  readonly challenger?: string;
  readonly budget?: readonly string[];
  readonly policy?: string;
  readonly token: string;
  readonly deadline: string;
  readonly grace: string;
  readonly segment: string;
  readonly priceScale: string;
  readonly resume?: string;
}

/** The order that an argument names, or the only one of the store. */
export async function orderOf(client: ClientConnection, orderKey: string | undefined): Promise<OrderRecord> {
  return orderKey === undefined ? client.store.orders.only() : client.store.orders.read(parseWord(orderKey, 'the order key'));
}

/** Opens an order, or finishes one that was interrupted. */
export async function orderOpen({ options, context }: Invocation<OrderOpenOptions>): Promise<CommandResult> {
  const asked = options.resume === undefined ? await askedOrder(options) : parseWord(options.resume, '--resume');
  const client = await connectCustomer(options);
  try {
    if (typeof asked === 'string') {
      const stored = await client.store.orders.read(asked);
      context.progress('sending the transaction of the stored order');
      return openedResult(await resumeOpening(client, stored));
    }
    const newest = await client.provider.getBlock('latest');
    context.progress('opening the order on chain');
    const opened = await openOrder(client, {
      ...asked,
      token: tokenOf(options.token, client.contracts),
      deadlineUnix: parseTime(options.deadline, '--deadline', Math.max(client.nowUnix(), newest?.timestamp ?? 0)),
    });
    return openedResult(opened);
  } finally {
    client.close();
  }
}

/** What of a new order needs neither store nor node; read first, so that a mistake costs nothing. */
async function askedOrder(options: OrderOpenOptions): Promise<Omit<OrderPlan, 'token' | 'deadlineUnix'>> {
  const model = await orderedModel(options);
  const budgets = (options.budget ?? []).map(parseBudget);
  if (budgets.length === 0) throw new StunError('STUN_INPUT', 'at least one --budget PROVIDER=AMOUNT is needed');
  parseTime(options.deadline, '--deadline', 0);
  return {
    ...model,
    level: levelOf(options),
    modelApprovedBy: (options.approvedBy ?? []).map((account) => parseAddress(account, '--approved-by')),
    policy: options.policy === undefined ? defaultPolicy : parsePolicy(await readText(options.policy, 'policy')),
    budgets,
    graceSeconds: parseDuration(options.grace, '--grace'),
    segmentLength: parseWhole(options.segment, '--segment', 1, 256),
    priceScale: parseAmount(options.priceScale, '--price-scale'),
  };
}

/** The model of a new order: by its id, or by the folder of a compiled one. */
async function orderedModel({ modelId, compiledModel }: OrderOpenOptions): Promise<Pick<OrderPlan, 'modelId' | 'publicModel'>> {
  if (compiledModel === undefined) {
    if (modelId === undefined) throw new StunError('STUN_INPUT', '--model-id is needed: which model shall be run?');
    return { modelId: fieldFromHex(parseWord(modelId, '--model-id'), '--model-id') };
  }
  if (modelId !== undefined) throw new StunError('STUN_INPUT', '--model-id and --compiled-model name a model each: give one');
  const publicModel = await publicModelOf(compiledModel);
  return { modelId: publicModel.model.modelId, publicModel };
}

/** The level that the options name. @throws `STUN_INPUT` */
export function levelOf({ level, window, answerPeriod, bond, slash, challenger }: OrderOpenOptions): OrderLevel {
  if (level === 'attested' || level === 'proven') return { assurance: level };
  if (level !== 'challengeable') throw new StunError('STUN_INPUT', '--level must be attested, challengeable or proven');
  return {
    assurance: level,
    challengeWindowSeconds: parseDuration(window, '--window'),
    answerPeriodSeconds: parseDuration(answerPeriod, '--answer-period'),
    bond: parseAmount(bond, '--bond'),
    slash: parseAmount(slash, '--slash'),
    ...(challenger === undefined ? {} : { challenger: parseAddress(challenger, '--challenger') }),
  };
}

function openedResult({ order, transaction }: OpenedOnChain): CommandResult {
  const document = {
    orderKey: order.orderKey,
    orderId: fieldToHex(order.orderId),
    funder: order.place.funder,
    policyId: fieldToHex(order.opening.policyId),
    modelId: fieldToHex(order.opening.modelId),
    deadlineUnix: order.deadlineUnix,
    budgets: order.budgets.map(({ provider, amount }) => ({ provider, amount: amount.toString() })),
    transactionHash: transaction.transactionHash,
    gasUsed: transaction.gasUsed.toString(),
  };
  const text = [
    `order     ${order.orderKey}`,
    `deadline  ${showTime(order.deadlineUnix)}`,
    ...order.budgets.map(({ provider, amount }) => `budget    ${provider}  ${showAmount(amount)}`),
    `mined in  ${transaction.transactionHash}`,
    'Back up the store now: stun backup export --out FILE',
  ].join('\n');
  return { document, text, exitCode: 0 };
}

async function showOne(client: ClientConnection, order: OrderRecord): Promise<{ document: Json; text: string }> {
  const lanes = await client.store.lanes.ofOrder(order.orderKey);
  const laneDocuments = [];
  for (const { files, record } of lanes) {
    const closure = await files.closure();
    const settledHead = await client.contracts.escrow.lane(order.orderKey, record.provider, record.laneIndex);
    const jobs = await files.jobs();
    laneDocuments.push({
      provider: record.provider,
      laneIndex: record.laneIndex,
      jobs: jobs.length,
      settledK: jobs.find((job) => BigInt(job.jobId) === settledHead)?.k ?? 0,
      simulated: record.simulated,
      closed: closure?.code ?? null,
    });
  }
  let state;
  try {
    state = await orderState(client, order);
  } catch (thrown) {
    if (!(thrown instanceof StunError) || thrown.code !== 'STUN_ORDER_UNKNOWN') throw thrown;
  }
  const credited = state?.settlements.reduce((sum, one) => sum + one.credited + one.fee, 0n) ?? 0n;
  const document = {
    orderKey: order.orderKey,
    onChain: state !== undefined,
    deadlineUnix: state?.stored.deadlineUnix ?? order.deadlineUnix,
    graceSeconds: order.graceSeconds,
    token: order.place.token,
    budgets: (state?.budgets ?? []).map((budget) => ({
      provider: budget.provider,
      funded: budget.funded.toString(),
      remaining: budget.remaining.toString(),
      settleableUntilUnix: budget.settleableUntilUnix,
    })),
    settlements: (state?.settlements ?? []).map((one) => ({
      provider: one.provider,
      laneIndex: one.laneIndex,
      total: one.total.toString(),
      credited: one.credited.toString(),
      fee: one.fee.toString(),
      shortfall: one.shortfall.toString(),
      transactionHash: one.place.transactionHash,
    })),
    paid: credited.toString(),
    refunded: (state?.refunded ?? 0n).toString(),
    lanes: laneDocuments,
  };
  const text = [
    `order     ${order.orderKey}${state === undefined ? `  NOT ON CHAIN: stun order open --resume ${order.orderKey}` : ''}`,
    `deadline  ${showTime(document.deadlineUnix)}, then ${order.graceSeconds} s of grace`,
    ...(state?.budgets ?? []).map(
      (budget) => `budget    ${budget.provider}  ${showAmount(budget.remaining)} left of ${showAmount(budget.funded)}`,
    ),
    ...laneDocuments.map(
      (lane) =>
        `lane ${lane.laneIndex}  ${lane.provider}  ${lane.jobs} jobs, ${lane.settledK} settled${lane.simulated ? ', SIMULATED HARDWARE' : ''}${lane.closed === null ? '' : `, ended: ${lane.closed}`}`,
    ),
    `paid      ${showAmount(credited)} in ${document.settlements.length} settlements, ${showAmount(state?.refunded ?? 0n)} refunded`,
  ].join('\n');
  return { document, text };
}

/** Shows one order, or all of the store. */
export async function orderShow({ args, options }: Invocation<object>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const [key] = args;
    const keys: readonly string[] = key === undefined ? await client.store.orders.keys() : [key];
    const shown = [];
    for (const one of keys) shown.push(await showOne(client, await orderOf(client, one)));
    const text = shown.map((one) => one.text).join('\n\n');
    const document = key === undefined ? { orders: shown.map((one) => one.document) } : (shown[0]?.document ?? null);
    return { document, text: text === '' ? 'The store has no order.' : text, exitCode: 0 };
  } finally {
    client.close();
  }
}

function minedResult(what: string, orderKey: Hex, mined: { transactionHash: Hex; gasUsed: bigint }): CommandResult {
  const { transactionHash, gasUsed } = mined;
  return {
    document: { orderKey, transactionHash, gasUsed: gasUsed.toString() },
    text: `${what}, mined in ${transactionHash}`,
    exitCode: 0,
  };
}

/** Adds to budgets. */
export async function orderTopUp({ args, options, context }: Invocation<{ budget: readonly string[] }>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const [budget, ...more] = options.budget.map(parseBudget);
    if (budget === undefined || more.length > 0) throw new StunError('STUN_INPUT', 'one --budget PROVIDER=AMOUNT was expected');
    const order = await orderOf(client, args[0]);
    context.progress('adding to the budget on chain');
    return minedResult('added', order.orderKey, await topUpOrder(client, order, budget.provider, budget.amount));
  } finally {
    client.close();
  }
}

/** Ends service of an order now. */
export async function orderClose({ args, options, context }: Invocation<object>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, args[0]);
    context.progress('closing the order on chain');
    return minedResult('closed; the provider may settle within the grace', order.orderKey, await closeOrder(client, order));
  } finally {
    client.close();
  }
}

/** Takes back what is left. */
export async function orderRefund({ args, options, context }: Invocation<object>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, args[0]);
    context.progress('refunding and withdrawing on chain');
    const done = await refundOrder(client, order);
    const sum = done.refunds.reduce((total, refund) => total + refund.amount, 0n);
    const document = {
      orderKey: order.orderKey,
      refunded: sum.toString(),
      refunds: done.refunds.map(({ provider, amount }) => ({ provider, amount: amount.toString() })),
      refundTransactionHash: done.refundTransaction.transactionHash,
      withdrawTransactionHash: done.withdrawTransaction.transactionHash,
    };
    return { document, text: `refunded and paid out ${showAmount(sum)}`, exitCode: 0 };
  } finally {
    client.close();
  }
}
