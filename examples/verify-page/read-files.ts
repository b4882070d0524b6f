/** From files, as somebody drops them, to a report: what a file is follows from its content, for AMD's certificates from its name. */
import {
  assessDocument,
  assessSgx,
  assessSnp,
  assessTdx,
  defaultPolicy,
  defaultTrustRoots,
  parseEvidence,
  parseIntelQuote,
  reportOf,
} from '#attestation/index.ts';
import type { EvidenceReport } from '#attestation/index.ts';
import { asStunError, StunError } from '#protocol/errors/stun-error.ts';

/** A file's name and content. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const snpReportBytes = 1184;
const openingBrace = 0x7b;

/**
 * Reports on the evidence in files, under the default policy and the vendors' roots. Never throws: what cannot be read is a report too.
 * @param atUnix - time of verification, unix seconds
 */
export function reportOnFiles(files: readonly NamedBytes[], atUnix: number): EvidenceReport {
  try {
    const texts = files.filter(({ bytes }) => bytes[0] === openingBrace);
    const binaries = files.filter(({ bytes }) => bytes[0] !== openingBrace);
    return binaries.length === 0 ? ofDocument(single(texts, 'evidence document'), atUnix) : ofParts(texts, binaries, atUnix);
  } catch (thrown) {
    return reportOf(null, null, [], asStunError(thrown));
  }
}

function single(files: readonly NamedBytes[], what: string): Uint8Array {
  const [file] = files;
  if (file === undefined || files.length > 1) throw new StunError('STUN_INPUT', `expected one ${what}, got ${files.length}`);
  return file.bytes;
}

function ofDocument(bytes: Uint8Array, atUnix: number): EvidenceReport {
  const context = { atUnix, roots: defaultTrustRoots, policy: defaultPolicy };
  const { kind, verified, checks, failure } = assessDocument(parseEvidence(bytes), context);
  return reportOf(kind, verified, checks, failure);
}

function ofParts(texts: readonly NamedBytes[], binaries: readonly NamedBytes[], atUnix: number): EvidenceReport {
  const context = { atUnix, roots: defaultTrustRoots, policy: defaultPolicy };
  const named = (name: string): Uint8Array | undefined =>
    [...binaries, ...texts].find((file) => file.name.toLowerCase().startsWith(name))?.bytes;
  const report = binaries.find(({ bytes }) => bytes.length === snpReportBytes)?.bytes;
  if (report !== undefined) {
    const [vek, ask, ark] = ['vek', 'ask', 'ark'].map(
      (name) => named(name) ?? raise(`expected a file whose name begins with ${name} beside the report`),
    ) as [Uint8Array, Uint8Array, Uint8Array];
    const assessment = assessSnp({ ...context, report, endorsements: { vek, ask, ark, crl: named('crl') ?? null } });
    return reportOf('snp', assessment.verified, assessment.checks, assessment.failure);
  }
  const quote = single(binaries, 'quote');
  const input = { ...context, quote, collateral: single(texts, 'collateral') };
  if (parseIntelQuote(quote).body.type === 1) {
    const { verified, checks, failure } = assessSgx(input);
    return reportOf('sgx', verified, checks, failure);
  }
  const { verified, checks, failure } = assessTdx(input);
  return reportOf('tdx', verified, checks, failure);
}

function raise(reason: string): never {
  throw new StunError('STUN_INPUT', reason);
}
