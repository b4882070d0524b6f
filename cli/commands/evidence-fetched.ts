/** Evidence whose collateral a command gets by itself, instead of reading it from files or from an evidence document. */
import { encodeEvidence, parseEvidence, quoteKind } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralAccess } from './evidence-collateral.ts';
import type { EvidenceBytes, EvidenceSource } from './evidence-source.ts';
import { readBytes } from './evidence-source.ts';

/** Codes of evidence that cannot be read: an answer of the verifier, which refuses it before it looks at collateral. */
const unreadable = /^STUN_(?:QUOTE|SNP_REPORT|EVIDENCE|JSON)_/;

async function unlessUnreadable<T>(get: () => Promise<T>, standIn: T): Promise<T> {
  try {
    return await get();
  } catch (thrown) {
    const error = asStunError(thrown);
    if (unreadable.test(error.code)) return standIn;
    throw error;
  }
}

/**
 * Reads a quote, a report or an evidence document and gets its collateral; what a document carries is replaced.
 * @throws `STUN_INPUT` for other evidence | `STUN_FILE` | `STUN_COLLATERAL_*` | the codes that say why nothing can be asked for
 */
export async function readFetchedSource(options: EvidenceSource, access: CollateralAccess): Promise<EvidenceBytes> {
  const { quote, report, vek, evidence, ...others } = options;
  const ways = [quote, report, evidence].filter((way) => way !== undefined);
  const given = [others.collateral, others.ask, others.ark, others.crl, others.case].some((option) => option !== undefined);
  if (ways.length !== 1 || given || (vek !== undefined && report === undefined))
    throw new StunError(
      'STUN_INPUT',
      '--fetch and --bundle go with one of --quote, --report (and --vek of a VLEK) and --evidence',
    );
  const base = { collateral: new Uint8Array(0), document: null, verifyAtUnix: null } as const;
  const source = await sourceOf({ quote, report, vek, evidence }, access, base);
  await access.finish();
  return source;
}

type Base = Pick<EvidenceBytes, 'collateral' | 'document' | 'verifyAtUnix'>;

async function sourceOf(
  { quote, report, vek, evidence }: Record<'quote' | 'report' | 'vek' | 'evidence', string | undefined>,
  access: CollateralAccess,
  base: Base,
): Promise<EvidenceBytes> {
  if (quote !== undefined) {
    const bytes = await readBytes(quote, 'quote');
    const collateral = await unlessUnreadable(() => access.ofQuote(bytes), base.collateral);
    return { ...base, kind: quoteKind(bytes), quote: bytes, collateral };
  }
  if (report !== undefined) {
    const bytes = await readBytes(report, 'report');
    const vlek = vek === undefined ? undefined : toHex(await readBytes(vek, 'VEK'));
    const endorsements = await unlessUnreadable(() => access.ofReport(bytes, vlek), {
      vek: '0x',
      ask: '0x',
      ark: '0x',
      crl: null,
    });
    return { ...base, kind: 'snp', quote: bytes, endorsements };
  }
  const text = await readBytes(evidence ?? '', 'evidence');
  const document = await unlessUnreadable(() => renewed(text, access), text);
  return { ...base, kind: 'tdx', quote: new Uint8Array(0), document };
}

/** The document with collateral of today. Its digest is another then; what it binds is not. */
async function renewed(text: Uint8Array, access: CollateralAccess): Promise<Uint8Array> {
  const document = parseEvidence(text);
  if (document.kind === 'snp') {
    const { vek } = document.collateral;
    return encodeEvidence({ ...document, collateral: await access.ofReport(document.quote, vek) });
  }
  return encodeEvidence({ ...document, collateral: await access.ofQuote(document.quote) });
}
