/** Evidence whose collateral a command gets by itself, instead of reading it from files or from an evidence document. */
import { encodeEvidence, parseEvidence, quoteKind } from '#attestation/index.ts';
import type { GpuEvidence } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CollateralAccess } from './evidence-collateral.ts';
import type { EvidenceBytes, EvidenceSource } from './evidence-source.ts';
import { readBytes, readNonce, readTextFile } from './evidence-source.ts';

/** Codes of evidence that cannot be read: an answer of the verifier, which refuses it before it looks at collateral. */
const unreadable = /^STUN_(?:QUOTE|SNP_REPORT|EVIDENCE|JSON)_/;
/** The same of a GPU's report and chain. */
const unreadableGpu = /^STUN_(?:GPU_REPORT_.*|(?:PEM|DER|CERTIFICATE)_FORMAT|CHAIN_LENGTH)$/;

async function unlessUnreadable<T>(get: () => Promise<T>, standIn: T, codes = unreadable): Promise<T> {
  try {
    return await get();
  } catch (thrown) {
    const error = asStunError(thrown);
    if (codes.test(error.code)) return standIn;
    throw error;
  }
}

/**
 * Reads a quote, a report, a GPU report or an evidence document and gets its collateral; what a document carries is replaced.
 * @throws `STUN_INPUT` for other evidence | `STUN_FILE` | `STUN_COLLATERAL_*` | the codes that say why nothing can be asked for
 */
export async function readFetchedSource(options: EvidenceSource, access: CollateralAccess): Promise<EvidenceBytes> {
  const { collateral, ask, ark, crl, ocsp, rim, gpu, chain } = options;
  const given = [collateral, ask, ark, crl, ocsp, rim].some((option) => option !== undefined);
  if (given || (gpu !== undefined && chain === undefined))
    throw new StunError(
      'STUN_INPUT',
      '--fetch and --bundle go with one of --quote, --report (and --vek of a VLEK), --gpu (with --chain, and --nonce) and --evidence',
    );
  const base = { collateral: new Uint8Array(0), document: null, verifyAtUnix: null } as const;
  const source = await sourceOf(options, access, base);
  await access.finish();
  return source;
}

type Base = Pick<EvidenceBytes, 'collateral' | 'document' | 'verifyAtUnix'>;

async function sourceOf(
  { quote, report, vek, gpu, chain, nonce, evidence }: EvidenceSource,
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
  if (gpu !== undefined) {
    const device = { report: await readBytes(gpu, 'GPU report'), chain: await readTextFile(chain ?? '', 'chain') };
    const got = await unlessUnreadable(() => access.ofGpus([device]), { ocsp: [], rims: [] }, unreadableGpu);
    const beside = { chain: device.chain, ...got, nonce: nonce === undefined ? null : readNonce(nonce) };
    return { ...base, kind: 'nvidia', quote: device.report, gpu: beside };
  }
  const text = await readBytes(evidence ?? '', 'evidence');
  const document = await unlessUnreadable(() => renewed(text, access), text);
  return { ...base, kind: 'tdx', quote: new Uint8Array(0), document };
}

/** The document with collateral of today. Its digest is another then; what it binds is not. */
async function renewed(text: Uint8Array, access: CollateralAccess): Promise<Uint8Array> {
  const parsed = parseEvidence(text);
  const gpuEvidence = parsed.gpuEvidence === null ? null : await renewedGpus(parsed.gpuEvidence, access);
  const document = { ...parsed, gpuEvidence };
  if (document.kind === 'snp') {
    const { vek } = document.collateral;
    return encodeEvidence({ ...document, collateral: await access.ofReport(document.quote, vek) });
  }
  return encodeEvidence({ ...document, collateral: await access.ofQuote(document.quote) });
}

async function renewedGpus(given: GpuEvidence, access: CollateralAccess): Promise<GpuEvidence> {
  const { devices } = given;
  return unlessUnreadable(async () => ({ devices, ...(await access.ofGpus(devices)) }), given, unreadableGpu);
}
