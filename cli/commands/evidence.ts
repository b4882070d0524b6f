/** `stun evidence verify` and `stun evidence inspect`: hardware evidence from files, judged offline. */
import {
  assessEvidence,
  assessGpu,
  assessQuote,
  assessSnp,
  checkSourceOf,
  defaultPolicy,
  defaultTrustRoots,
  explainReport,
  parseEvidence,
  parsePolicy,
  parseTrustRoots,
  reportOf,
} from '#attestation/index.ts';
import type { EvidenceReport, PlatformAssessment, Policy, QuoteAssessment, QuoteInput, TrustRoot } from '#attestation/index.ts';
import type { HttpDependencies } from '#collateral/http.ts';
import { network } from '#collateral/network.ts';
import { holdRims } from '#attestation/nvidia/rim/hold.ts';
import { fromHex } from '#protocol/bytes.ts';
import { exitCodeOf } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CommandContext, CommandResult } from '../command.ts';
import { silent } from '../command.ts';
import type { CollateralOptions } from './evidence-collateral.ts';
import { openCollateral } from './evidence-collateral.ts';
import { readFetchedSource } from './evidence-fetched.ts';
import type { EarOptions } from './evidence-ear.ts';
import { earReport } from './evidence-ear.ts';
import type { NrasOptions } from './evidence-nras.ts';
import { nrasReport } from './evidence-nras.ts';
import { evidenceWayOf } from './evidence-options.ts';
import type { EvidenceBytes, EvidenceSource } from './evidence-source.ts';
import { parseUnix, readEvidenceSource, readTextFile } from './evidence-source.ts';
import { describeDocument } from './evidence-document-fields.ts';
import type { DescribedField } from './evidence-fields.ts';
import { describeSource } from './evidence-fields.ts';
import { describeGpu } from './evidence-gpu-fields.ts';
import { describeSnp } from './evidence-snp-fields.ts';

/** Options of `stun evidence verify`; paths of files. */
export interface EvidenceVerifyOptions extends EvidenceSource, CollateralOptions, EarOptions, NrasOptions {
  /** Time to verify at, unix seconds; now when absent. */
  readonly at?: string | number;
  /** Time at which the OCSP responses about a GPU's chain should hold, unix seconds; that of verification when absent. */
  readonly ocspAt?: string | number;
  /** Time at which the certificates of RIM documents, and OCSP responses about them, must hold; that of `at` when absent. */
  readonly rimAt?: string | number;
  /** A policy as JSON; the default policy when absent. */
  readonly policy?: string;
  /** A simulated root as JSON, or a list of them, trusted in addition to the vendors' roots. */
  readonly root?: string;
}

function result(report: EvidenceReport): CommandResult {
  const { gpus, ...whole } = report;
  const listed = ({ checks }: Pick<EvidenceReport, 'checks'>) => checks.map((check) => ({ ...check }));
  const devices = gpus?.map((gpu) => ({ ...gpu, checks: listed(gpu) }));
  return {
    document: { ...whole, checks: listed(report), ...(devices && { gpus: devices }) },
    text: describe(report),
    exitCode: report.code === undefined ? 0 : exitCodeOf(report.code),
  };
}

function tcbLine({ kind, tcbStatus, platform, module, qe }: EvidenceReport): string {
  if (kind === 'snp') return 'TCB:       certified by the VEK or not at all: AMD gives no status';
  if (kind === 'nvidia') return 'TCB:       as the reference values say: NVIDIA gives no status';
  return `TCB:       ${tcbStatus ?? 'unknown'} (platform, module, QE: ${[platform, module, qe].map((part) => part ?? '-').join(', ')})`;
}

function checkLines(kind: EvidenceReport['kind'], checks: EvidenceReport['checks']): string[] {
  return checks.map(({ id, status, code }) => {
    const source = checkSourceOf(kind, id);
    return `  ${status.padEnd(8)} ${[id, code].filter((part) => part !== undefined).join('  ')}${source === null ? '' : `  [${source}]`}`;
  });
}

function describe(verdict: EvidenceReport): string {
  return [
    `${verdict.kind ?? 'evidence of no known kind'}${verdict.simulated ? ', SIMULATED HARDWARE: it protects nothing' : ''}`,
    `verified:  ${verdict.verified ? 'yes: signatures, chains and dates hold' : 'no'}`,
    `validated: ${verdict.validated ? 'yes: the policy is satisfied' : 'no'}`,
    tcbLine(verdict),
    `advisories: ${verdict.advisoryIds.join(', ') || 'none'}; debug: ${verdict.debug === null ? 'unknown' : verdict.debug ? 'yes' : 'no'}`,
    ...checkLines(verdict.kind, verdict.checks),
    ...(verdict.gpus ?? []).flatMap((gpu, i) => [
      `GPU ${i}: ${gpu.validated ? 'accepted' : `refused with ${gpu.code}`}${gpu.simulated ? ', SIMULATED HARDWARE' : ''}`,
      ...checkLines('nvidia', gpu.checks),
    ]),
    ...(verdict.unproven ?? []).map((what) => `not proven: ${what}`),
    explainReport(verdict),
  ].join('\n');
}

async function readPolicy(path: string | undefined): Promise<Policy> {
  return path === undefined ? defaultPolicy : parsePolicy(await readTextFile(path, 'policy'));
}

async function readRoots(path: string | undefined): Promise<readonly TrustRoot[]> {
  return path === undefined ? defaultTrustRoots : [...defaultTrustRoots, ...parseTrustRoots(await readTextFile(path, 'root'))];
}

/** The time that the options name, else that of the evidence's case, else now. */
function atOf({ at }: EvidenceVerifyOptions, ofCase: number | null): number {
  return at === undefined ? (ofCase ?? Math.floor(Date.now() / 1000)) : parseUnix(at);
}

/**
 * Verifies evidence from files and validates it by a policy. Bad evidence is an answer, not an exception: the result has one
 * shape on refusal too, and its exit code is 0 only when the evidence is verified and validated.
 * @throws `STUN_COLLATERAL_*` when collateral was to be got and was not | `STUN_INPUT` | `STUN_FILE` | `STUN_JSON_FORMAT` | `STUN_POLICY_FORMAT` | `STUN_CONFIG` for options that cannot be used
 */
export async function evidenceVerify(
  options: EvidenceVerifyOptions,
  outside: HttpDependencies = network,
  progress: CommandContext['progress'] = silent,
): Promise<CommandResult> {
  const way = evidenceWayOf(options);
  const policy = await readPolicy(options.policy);
  if (way === 'ear') return result(await earReport(options, { policy, atUnix: atOf(options, null) }));
  if (way === 'nras') return result(await nrasReport(options, { policy, atUnix: atOf(options, null) }));
  const roots = await readRoots(options.root);
  const access = await openCollateral(options, outside);
  if (options.fetch === true) progress('asking the vendor for collateral');
  const source = access === null ? await readEvidenceSource(options) : await readFetchedSource(options, access);
  const atUnix = atOf(options, source.verifyAtUnix);
  if (source.gpu !== undefined) {
    if (options.at === undefined && source.verifyAtUnix === null && options.case !== undefined)
      throw new StunError('STUN_INPUT', 'the case names no time: give --at');
    const ocspAtUnix = options.ocspAt === undefined ? null : parseUnix(options.ocspAt);
    const input = { ...source.gpu, report: source.quote, ocspAtUnix, atUnix, roots, policy };
    const rimAtUnix = options.rimAt === undefined ? atUnix : parseUnix(options.rimAt);
    const { verified, checks, failure } = assessGpu(input, holdRims(source.gpu.rims, rimAtUnix, roots));
    return result(reportOf('nvidia', verified, checks, failure));
  }
  if ((options.ocspAt ?? options.rimAt) !== undefined)
    throw new StunError('STUN_INPUT', '--ocsp-at and --rim-at go with GPUs, and the --case is not about one');
  if (source.document === null) {
    const { verified, checks, failure } = assessFiles(source, { atUnix, roots, policy });
    return result(reportOf(source.kind, verified, checks, failure));
  }
  if (options.keysetDigest === undefined)
    throw new StunError('STUN_INPUT', 'an evidence document needs --keyset-digest: what should it bind?');
  const keysetDigest = fromHex(options.keysetDigest, 32, 'keyset digest');
  const { platform, gpus, checks, failure } = assessEvidence(source.document, { atUnix, roots, policy, keysetDigest });
  return result(reportOf(platform?.kind ?? source.kind, platform?.verified ?? null, checks, failure, gpus));
}

function assessFiles(
  { quote, collateral, endorsements }: EvidenceBytes,
  context: Pick<QuoteInput, 'atUnix' | 'roots' | 'policy'>,
): QuoteAssessment<PlatformAssessment['verified']> {
  if (endorsements !== undefined) return assessSnp({ ...context, report: quote, endorsements });
  return assessQuote({ ...context, quote, collateral });
}

function fieldsOf(source: EvidenceBytes): readonly DescribedField[] {
  // Verification answers for a document that cannot be read; here that is all there is to say.
  if (source.document !== null) return [...describeDocument(parseEvidence(source.document)), ...quoteFieldsOf(source)];
  return quoteFieldsOf(source);
}

function quoteFieldsOf(source: EvidenceBytes): readonly DescribedField[] {
  if (source.gpu !== undefined) return describeGpu(source.quote, source.gpu);
  return source.endorsements === undefined ? describeSource(source) : describeSnp(source.quote, source.endorsements);
}

/**
 * Shows every field of evidence and of what stands beside it with its meaning. Verifies nothing, and says so.
 * @throws the parse error's code when the evidence has no readable structure
 */
export async function evidenceInspect(options: EvidenceSource): Promise<CommandResult> {
  const source = await readEvidenceSource(options);
  const fields = fieldsOf(source);
  return {
    document: { kind: source.kind, verified: false, fields: fields.map((field) => ({ ...field })) },
    text: [
      'Nothing below is verified: see stun evidence verify.',
      ...fields.map((field) => `${field.name}: ${field.value}\n    ${field.meaning}`),
    ].join('\n'),
    exitCode: 0,
  };
}
