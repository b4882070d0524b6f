/** `stun audit export|verify`. */
import {
  AuditLedger,
  auditOffline,
  auditOnChain,
  auditReport,
  exportAuditBundle,
  type AuditReport,
  type BatchOutcome,
  type CeremonyFinding,
  type ChainFindings,
  type KeySource,
} from '#client/index.ts';
import { defaultTrustRoots } from '#attestation/index.ts';
import { bigIntToBytes, concatBytes, exitCodeOf, fieldToHex, StunError } from '#protocol/index.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer, deploymentOf, extraRootsOf, hasDeployment, openProvider, readJson } from '../settings.ts';
import { parseAddress, parseWhole, parseWord, showAmount } from '../values.ts';
import { orderOf } from './order.ts';
import { save } from './result.ts';

/** Options of `audit export`. */
export interface AuditExportOptions {
  readonly out: string;
  readonly order?: string;
  readonly job?: string;
  readonly batch?: string;
  readonly open?: boolean;
}

/** Verification keys from the circuits of this checkout, in the fixed encoding. */
const keysOfCircuits: KeySource = async (family) => {
  const { CIRCUIT_NAMES, ensureCircuit, loadManifest } = await import('#circuits/manifest.ts');
  for (const name of CIRCUIT_NAMES) {
    if ((await loadManifest(name)).familyId !== family) continue;
    const { n, verificationKey: key } = await ensureCircuit(name);
    const g2 = ([x, y]: typeof key.vk_beta_2): string[] => [x[1], x[0], y[1], y[0]];
    const g1 = ([x, y]: typeof key.vk_alpha_1): string[] => [x, y];
    const words = [...g1(key.vk_alpha_1), ...[key.vk_beta_2, key.vk_gamma_2, key.vk_delta_2].flatMap(g2), ...key.IC.flatMap(g1)];
    return { maxJobs: n, key: concatBytes(...words.map((word) => bigIntToBytes(BigInt(word), 32))) };
  }
  throw new StunError('STUN_FAMILY_UNKNOWN', 'the circuits of this checkout have no family like that of the order');
};

/** Collects a bundle and writes it. */
export async function auditExport({ options, context }: Invocation<AuditExportOptions>): Promise<CommandResult> {
  if (options.job !== undefined && options.batch !== undefined) throw new StunError('STUN_INPUT', 'either --job or --batch');
  const scope = {
    ...(options.job === undefined ? {} : { jobId: parseWord(options.job, '--job') }),
    ...(options.batch === undefined ? {} : { laneNew: parseWord(options.batch, '--batch') }),
    open: options.open === true ? ('all' as const) : options.job === undefined ? ('none' as const) : ('job' as const),
  };
  const client = await connectCustomer(options);
  try {
    const order = await orderOf(client, options.order);
    const bundle = await exportAuditBundle(client, order, scope, keysOfCircuits, context.progress);
    await save(options.out, `${JSON.stringify(bundle, null, 1)}\n`);
    const jobs = bundle.segments.reduce((sum, segment) => sum + segment.jobs.length, 0);
    const settled = bundle.segments.filter((segment) => segment.settlement !== undefined).length;
    const document = { file: options.out, orderKey: order.orderKey, segments: bundle.segments.length, settled, jobs };
    const text = [
      `${jobs} jobs in ${bundle.segments.length} segments, ${settled} of them settled, are in ${options.out}`,
      scope.open === 'none' ? 'No input or output is in it.' : 'It holds inputs and outputs in clear.',
      `Next: stun audit verify ${options.out}`,
    ].join('\n');
    return { document, text, exitCode: 0 };
  } finally {
    client.close();
  }
}

/** Options of `audit verify`. */
export interface AuditVerifyOptions {
  readonly attestor?: readonly string[];
  readonly threshold: string;
}

/** Verifies a bundle offline, and against the chain when a node is named. */
export async function auditVerify({ args, options, context }: Invocation<AuditVerifyOptions>): Promise<CommandResult> {
  const [path] = args;
  if (path === undefined) throw new StunError('STUN_INPUT', 'an audit bundle was expected');
  const attestors = (options.attestor ?? []).map((attestor) => parseAddress(attestor, '--attestor'));
  const trust = {
    roots: [...defaultTrustRoots, ...(await extraRootsOf(options))],
    attestors,
    threshold: parseWhole(options.threshold, '--threshold', 1, 32),
  };
  const ledger = new AuditLedger();
  context.progress('verifying signatures, evidence and proofs');
  const audited = auditOffline(await readJson(path, 'audit bundle'), trust, ledger);
  // Only a node that is named here counts: an audit does not fall back to a default.
  if (options.rpc === undefined || audited === undefined) {
    const batches = (audited?.segments ?? []).flatMap((segment) => segment?.court ?? []);
    return verdict(auditReport(audited, ledger, 'not checked'), { money: [], batches });
  }
  const provider = await openProvider(options.rpc);
  try {
    context.progress('asking the chain');
    const fromBlock = hasDeployment(options) ? (await deploymentOf(options)).deployBlock : 0;
    const findings = await auditOnChain(audited, ledger, provider, fromBlock);
    return verdict(auditReport(audited, ledger, 'checked'), findings);
  } finally {
    provider.destroy();
  }
}

function verdict(report: AuditReport, { money: sums, batches, ceremony }: ChainFindings): CommandResult {
  const refuted = report.checks.filter((check) => check.status === 'refuted');
  const money: Json = sums.map((sum) => ({
    provider: sum.provider,
    funded: sum.funded.toString(),
    remaining: sum.remaining.toString(),
    settled: sum.settled.toString(),
    refunded: sum.refunded.toString(),
  }));
  const checks: Json = report.checks.map((check) => ({ ...check }));
  const count = (status: string): number => report.checks.filter((check) => check.status === status).length;
  const text = [
    ...report.checks.map((check) => {
      const where = check.status === 'refuted' ? `  at ${check.field ?? ''}` : '';
      const why = check.reason === undefined ? '' : `  ${check.code === undefined ? '' : `${check.code}: `}${check.reason}`;
      const among = check.status !== 'proven' && check.binds.length > 0 ? `\n         binds ${check.binds.join(', ')}` : '';
      return `${check.status.padEnd(8)} ${check.id}${where}${why}${among}`;
    }),
    ...(report.simulated ? ['SIMULATED HARDWARE: nothing protected these keys or this data.'] : []),
    `${count('proven')} proven, ${count('refuted')} refuted, ${count('unknown')} unknown`,
    `${report.jobs} jobs, ${report.served} served, ${report.total} price units, ${report.provenTotal} of them under a proof`,
    `level ${report.assurance ?? 'unknown'}, ${report.inferencesProven} answers under an inference proof`,
    ...sums.map(
      (sum) =>
        `${sum.provider}: ${showAmount(sum.funded)} in, ${showAmount(sum.settled)} paid, ${showAmount(sum.refunded)} back, ${showAmount(sum.remaining)} held`,
    ),
    ...batches.map(batchLine),
    ...(ceremony === undefined ? [] : [ceremonyLine(ceremony)]),
    `chain: ${report.chain}`,
    report.ok ? 'The bundle holds.' : `THE BUNDLE DOES NOT HOLD: ${refuted.map((check) => check.field ?? check.id).join(', ')}`,
  ].join('\n');
  const firstCode = refuted[0]?.code ?? 'STUN_AUDIT_REFUTED';
  const exitCode = report.ok ? 0 : exitCodeOf(firstCode === 'STUN_AUDIT_FORMAT' ? firstCode : 'STUN_AUDIT_REFUTED');
  const document = { ...report, checks, money, batches: batches.map(batchDocument), ceremony: ceremony ? { ...ceremony } : null };
  return { document, text, exitCode };
}

function ceremonyLine({ ceremonyHash, coordinators, others }: CeremonyFinding): string {
  const also = others.length === 0 ? '' : `, for themselves also by ${others.join(', ')}`;
  return `ceremony ${ceremonyHash} of the model's key: approved by the coordinators ${coordinators.join(', ')}${also}`;
}

function batchLine({ laneNew, state, amount, slash, challenges }: BatchOutcome): string {
  const each = challenges.map(
    ({ index, outcome }) => `, pair ${index} challenged: ${outcome === 'returned' ? 'bond returned' : outcome}`,
  );
  const lost = slash === 0n ? '' : `, ${showAmount(slash)} slashed`;
  return `batch ${fieldToHex(laneNew)}: ${showAmount(amount)} ${state}${lost}${each.join('')}`;
}

function batchDocument({ laneNew, amount, slash, challenges, ...batch }: BatchOutcome): Json {
  return {
    ...batch,
    laneNew: fieldToHex(laneNew),
    amount: amount.toString(),
    slash: slash.toString(),
    challenges: challenges.map(({ pair, bond, ...one }) => ({
      ...one,
      bond: bond.toString(),
      inputCommitment: fieldToHex(pair.inputCommitment),
      outputCommitment: fieldToHex(pair.outputCommitment),
    })),
  };
}
