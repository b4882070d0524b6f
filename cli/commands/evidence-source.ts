/** Where the commands read evidence from: a quote and its collateral, an evidence document, or a folder of test vectors. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvidence, quoteKind } from '#attestation/index.ts';
import type { EvidenceKind, IntelCollateralJson, SnpEndorsementBytes, SnpEndorsementsJson } from '#attestation/index.ts';
import { asStunError } from '#protocol/errors/registry.ts';
import { fromHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { evidenceWayOf } from './evidence-options.ts';

/** Options that name evidence; exactly one of the five ways. */
export interface EvidenceSource {
  readonly quote?: string;
  readonly collateral?: string;
  /** A SEV-SNP report, with the certificates of its key, of the authority and of the root: DER or PEM. */
  readonly report?: string;
  readonly vek?: string;
  readonly ask?: string;
  readonly ark?: string;
  /** The CRL of the ARK, DER; without it nothing is known of revocation. */
  readonly crl?: string;
  /** A GPU report, with the chain of its device (PEM) and any number of OCSP responses (DER). */
  readonly gpu?: string;
  readonly chain?: string;
  readonly ocsp?: readonly string[];
  /** RIM documents: what the device's measurements should be. */
  readonly rim?: readonly string[];
  /** What a GPU report was asked for with: 64 hex digits. */
  readonly nonce?: string;
  /** An evidence document, as a worker hands it out. */
  readonly evidence?: string;
  /**
   * A folder with `quote.bin` and `collateral.json`, with `report.bin`, `vek.der`, `ask.pem` and `ark.pem`, or with `report.bin`, `chain.pem`
   * `ocsp-*.der` and `*-rim*.xml`; of `expected.json` only `verifyAt` and `nonce` are read.
   */
  readonly case?: string;
}

/** What stands beside a GPU report. */
export interface GpuFiles {
  /** PEM, the key that signs reports first. */
  readonly chain: string;
  readonly ocsp: readonly Uint8Array[];
  readonly rims: readonly Uint8Array[];
  readonly nonce: Uint8Array | null;
}

/** The bytes of evidence. `collateral` is empty for kinds that are not read further. */
export interface EvidenceBytes {
  readonly kind: EvidenceKind;
  readonly quote: Uint8Array;
  readonly collateral: Uint8Array | IntelCollateralJson;
  /** Of a SEV-SNP report, which is the `quote` then. */
  readonly endorsements?: SnpEndorsementBytes | SnpEndorsementsJson;
  /** Of a GPU report, which is the `quote` then. */
  readonly gpu?: GpuFiles;
  /** The whole document, when the evidence came as one. */
  readonly document: Uint8Array | null;
  readonly verifyAtUnix: number | null;
}

const maxFileBytes = 4_000_000;

/** Reads a file of at most 4 MB. @throws `STUN_FILE` */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes)
      throw new StunError('STUN_FILE', `${what} file ${path} must have at most ${maxFileBytes} bytes, it has ${size}`);
    return new Uint8Array(await readFile(path));
  } catch (thrown) {
    if (thrown instanceof StunError) throw thrown;
    throw new StunError('STUN_FILE', `${what} file ${path} cannot be read`, { cause: thrown });
  }
}

/** Reads a small UTF-8 file. @throws `STUN_FILE` */
export async function readTextFile(path: string, what: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, what));
}

/** Unix seconds from an option. @throws `STUN_INPUT` */
export function parseUnix(value: string | number): number {
  const seconds = typeof value === 'number' ? value : /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new StunError('STUN_INPUT', 'the time must be unix seconds, digits only');
  return seconds;
}

interface CaseFacts {
  readonly verifyAtUnix: number | null;
  readonly nonce: Uint8Array | null;
}

/** `verifyAt` and `nonce` of expected.json, null where a case has none. Nothing else of the file is looked at. */
function factsOf(expected: string): CaseFacts {
  const value: unknown = JSON.parse(expected);
  const facts = typeof value === 'object' && value !== null ? value : {};
  const at = 'verifyAt' in facts ? facts.verifyAt : undefined;
  const nonce = 'nonce' in facts ? facts.nonce : undefined;
  if (at !== undefined && typeof at !== 'number') throw new StunError('STUN_FILE', 'verifyAt in expected.json must be a number');
  if (nonce !== undefined && typeof nonce !== 'string') throw new StunError('STUN_FILE', 'nonce in expected.json must be a text');
  return {
    verifyAtUnix: at === undefined ? null : parseUnix(at),
    nonce: nonce === undefined ? null : readNonce(nonce),
  };
}

/** 32 bytes of hex, with or without `0x`. @throws `STUN_INPUT` */
export function readNonce(text: string): Uint8Array {
  return fromHex(text.startsWith('0x') ? text : `0x${text}`, 32, 'nonce');
}

type SnpFiles = Record<'report' | 'vek' | 'ask' | 'ark' | 'crl', string | undefined>;

/** Reads a SEV-SNP report with its endorsements. @throws `STUN_INPUT` when one of the four is not named, `STUN_FILE` */
async function readSnp(files: SnpFiles): Promise<EvidenceBytes> {
  const { report, vek, ask, ark, crl } = files;
  if (report === undefined || vek === undefined || ask === undefined || ark === undefined)
    throw new StunError('STUN_INPUT', '--report, --vek, --ask and --ark belong together');
  const endorsements: SnpEndorsementBytes = {
    vek: await readBytes(vek, 'VEK'),
    ask: await readBytes(ask, 'ASK'),
    ark: await readBytes(ark, 'ARK'),
    crl: crl === undefined ? null : await readBytes(crl, 'CRL'),
  };
  const quote = await readBytes(report, 'report');
  return { kind: 'snp', quote, collateral: new Uint8Array(0), endorsements, document: null, verifyAtUnix: null };
}

type GpuPaths = Required<Pick<EvidenceSource, 'gpu' | 'chain' | 'ocsp' | 'rim'>>;

/** Reads a GPU report with its chain, OCSP responses and RIM documents. @throws `STUN_FILE` */
async function readGpu({ gpu, chain, ocsp, rim }: GpuPaths, nonce: Uint8Array | null): Promise<EvidenceBytes> {
  const readAll = async (paths: readonly string[], what: string): Promise<readonly Uint8Array[]> => {
    const all: Uint8Array[] = [];
    for (const path of paths) all.push(await readBytes(path, what));
    return all;
  };
  return {
    kind: 'nvidia',
    quote: await readBytes(gpu, 'GPU report'),
    collateral: new Uint8Array(0),
    gpu: {
      chain: await readTextFile(chain, 'chain'),
      ocsp: await readAll(ocsp, 'OCSP response'),
      rims: await readAll(rim, 'RIM'),
      nonce,
    },
    document: null,
    verifyAtUnix: null,
  };
}

async function readCase(folder: string): Promise<EvidenceBytes> {
  const file = (name: string): string => join(folder, name);
  if (!existsSync(folder)) throw new StunError('STUN_FILE', `the case folder ${folder} does not exist`);
  const expected = await readTextFile(file('expected.json'), 'expected.json');
  let facts: CaseFacts;
  try {
    facts = factsOf(expected);
  } catch (thrown) {
    throw thrown instanceof StunError ? thrown : new StunError('STUN_FILE', 'expected.json is not JSON', { cause: thrown });
  }
  const { verifyAtUnix } = facts;
  if (existsSync(file('vek.der'))) {
    const crl = existsSync(file('crl.der')) ? file('crl.der') : undefined;
    const [report, vek, ask, ark] = ['report.bin', 'vek.der', 'ask.pem', 'ark.pem'].map(file);
    return { ...(await readSnp({ report, vek, ask, ark, crl })), verifyAtUnix };
  }
  if (!existsSync(file('quote.bin'))) {
    const names = await readdir(folder);
    const [ocsp = [], rim = []] = [/^ocsp-.*\.der$/, /-rim.*\.xml$/].map((form) =>
      names.filter((name) => form.test(name)).map(file),
    );
    const read = await readGpu({ gpu: file('report.bin'), chain: file('chain.pem'), ocsp, rim }, facts.nonce);
    return { ...read, verifyAtUnix };
  }
  const quote = await readBytes(file('quote.bin'), 'quote');
  return {
    kind: quoteKind(quote),
    quote,
    collateral: await readBytes(file('collateral.json'), 'collateral'),
    document: null,
    verifyAtUnix,
  };
}

async function readDocument(path: string): Promise<EvidenceBytes> {
  const document = await readBytes(path, 'evidence');
  const base = { kind: 'tdx', document, verifyAtUnix: null } as const;
  try {
    const parsed = parseEvidence(document);
    if (parsed.kind === 'snp')
      return { ...base, kind: 'snp', quote: parsed.quote, collateral: new Uint8Array(0), endorsements: parsed.collateral };
    return { ...base, kind: parsed.kind, quote: parsed.quote, collateral: parsed.collateral };
  } catch (thrown) {
    asStunError(thrown); // a malformed document is an answer: the verifier reports it with its code
    return { ...base, quote: new Uint8Array(0), collateral: new Uint8Array(0) };
  }
}

/**
 * Reads evidence from the one source that the options name.
 * @throws `STUN_INPUT` when they name none or several, for an option that does not go with it, and for one that it needs; `STUN_FILE`
 */
export async function readEvidenceSource(options: EvidenceSource): Promise<EvidenceBytes> {
  evidenceWayOf(options);
  const { report, vek, ask, ark, crl } = options;
  const { gpu, chain, ocsp = [], rim = [], nonce } = options;
  if (report !== undefined) return readSnp({ report, vek, ask, ark, crl });
  if (gpu !== undefined) {
    if (chain === undefined) throw new StunError('STUN_INPUT', '--gpu and --chain belong together');
    return readGpu({ gpu, chain, ocsp, rim }, nonce === undefined ? null : readNonce(nonce));
  }
  if (options.case !== undefined) return readCase(options.case);
  if (options.evidence !== undefined) return readDocument(options.evidence);
  if (options.quote === undefined || options.collateral === undefined)
    throw new StunError('STUN_INPUT', '--quote needs --collateral, or a way to get it: --fetch or --bundle');
  const quote = await readBytes(options.quote, 'quote');
  return {
    kind: quoteKind(quote),
    quote,
    collateral: await readBytes(options.collateral, 'collateral'),
    document: null,
    verifyAtUnix: null,
  };
}
