/**
 * The evidence document: what a worker hands out so that anybody can verify its hardware offline.
 *
 * Wire form, UTF-8 JSON: `{ "version": 1, "kind": "tdx", "simulated": false, "quote": "0x…", "collateral": { … },
 * "nonce": "0x…", "gpuEvidence": null }`; kinds are `tdx`, `sgx` and `snp`, and of kind `snp` the quote is the report and the collateral
 * AMD's endorsements. `evidenceDigest` (docs/protocol.md, section 5) is over the exact bytes, so a document is passed on as it came and
 * never re-encoded.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { IntelCollateralJson } from '../intel/collateral.ts';
import { readCollateralFields } from '../intel/collateral.ts';
import { maxQuoteBytes } from '../intel/quote.ts';
import type { SnpEndorsementsJson } from '../snp/endorsements.ts';
import { readSnpEndorsementsJson } from '../snp/endorsements.ts';
import type { GpuEvidence } from './gpu-evidence.ts';
import { encodeGpuEvidence, readGpuEvidence } from './gpu-evidence.ts';
import { parseCappedJson, parseCappedJsonBytes } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';

interface DocumentParts {
  readonly version: 1;
  /** What the sender says; `verifyEvidence` holds it against the root. */
  readonly simulated: boolean;
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** The GPUs beside the CPU; null without any. */
  readonly gpuEvidence: GpuEvidence | null;
}

/** A document with a quote of a TD or of an enclave. */
export interface IntelEvidenceDocument extends DocumentParts {
  readonly kind: 'tdx' | 'sgx';
  readonly quote: Uint8Array;
  readonly collateral: IntelCollateralJson;
}

/** A document with a SEV-SNP report and AMD's endorsements. */
export interface SnpEvidenceDocument extends DocumentParts {
  readonly kind: 'snp';
  readonly quote: Uint8Array;
  readonly collateral: SnpEndorsementsJson;
}

/** A parsed evidence document. Nothing in it is verified. */
export type EvidenceDocument = IntelEvidenceDocument | SnpEvidenceDocument;

/** Largest document that is read. */
export const maxEvidenceBytes = 1_000_000;

function refuse(reason: string): never {
  throw new StunError('STUN_EVIDENCE_FORMAT', reason);
}

function hexBytes(fields: FieldReader, key: string, maxBytes: number): Uint8Array {
  const text = fields.string(key);
  if (text.length > 2 + 2 * maxBytes || !/^0x([0-9a-f]{2})*$/.test(text))
    refuse(`evidence.${key} must be 0x and at most ${maxBytes} bytes of lower-case hex`);
  return fromHex(text);
}

/**
 * Parses an evidence document.
 * @param input - the document's bytes, or their text
 * @throws `STUN_JSON_FORMAT` | `STUN_EVIDENCE_FORMAT` | `STUN_EVIDENCE_KIND` | `STUN_EVIDENCE_GPU`
 */
export function parseEvidence(input: Uint8Array | string): EvidenceDocument {
  if (input.length > maxEvidenceBytes) refuse(`expected at most ${maxEvidenceBytes} bytes, got ${input.length}`);
  const value = typeof input === 'string' ? parseCappedJson(input) : parseCappedJsonBytes(input);
  const fields = new FieldReader(value, 'evidence', 'STUN_EVIDENCE_FORMAT');
  fields.only('version', 'kind', 'simulated', 'quote', 'collateral', 'nonce', 'gpuEvidence');
  fields.integer('version', 1, 1);
  const kind = fields.string('kind');
  if (kind !== 'tdx' && kind !== 'sgx' && kind !== 'snp')
    throw new StunError('STUN_EVIDENCE_KIND', `expected evidence of kind tdx, sgx or snp, got ${kind.slice(0, 16)}`);
  const gpu = fields.value('gpuEvidence');
  const gpuEvidence = gpu === null ? null : readGpuEvidence(gpu);
  const nonce = hexBytes(fields, 'nonce', 32);
  if (nonce.length !== 32) refuse(`evidence.nonce must have 32 bytes, got ${nonce.length}`);
  const parts = { version: 1, simulated: fields.boolean('simulated'), nonce, gpuEvidence } as const;
  const quote = hexBytes(fields, 'quote', maxQuoteBytes);
  return kind === 'snp'
    ? Object.freeze({ ...parts, kind, quote, collateral: readSnpEndorsementsJson(fields.value('collateral')) })
    : Object.freeze({ ...parts, kind, quote, collateral: readCollateralFields(fields.object('collateral')) });
}

/** Encodes a document to the bytes that are handed out. */
export function encodeEvidence(document: EvidenceDocument): Uint8Array {
  return utf8(
    JSON.stringify({
      version: document.version,
      kind: document.kind,
      simulated: document.simulated,
      quote: toHex(document.quote),
      collateral: document.collateral,
      nonce: toHex(document.nonce),
      gpuEvidence: document.gpuEvidence === null ? null : encodeGpuEvidence(document.gpuEvidence),
    }),
  );
}

/** SHA-256 of a document's exact bytes: what attestors sign. */
export function evidenceDigest(bytes: Uint8Array): Uint8Array {
  return cryptoProvider.sha256(bytes);
}
