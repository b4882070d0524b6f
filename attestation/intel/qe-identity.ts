/**
 * The signed identity of a quoting enclave, of SGX (QE) or TDX (TD_QE), and its comparison with a quote's QE report.
 * Source: Intel PCS API v4, "Get SGX QE Identity" and "Get TDX QE Identity"; intel/confidential-computing.tee.dcap.qvl, `EnclaveReportVerifier`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { equalBytes } from '#protocol/bytes.ts';
import { parseCappedJson } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { EnclaveReport } from './enclave-report.ts';
import type { DatedDocument, IsvLevel } from './tcb-info.ts';
import { readDates, readIsvLevels } from './tcb-info.ts';

/** Parsed QE identity. Byte strings are in the order in which they stand in the report. */
export interface QeIdentity extends DatedDocument {
  /** `sgx` for id QE, `tdx` for id TD_QE. */
  readonly kind: 'sgx' | 'tdx';
  readonly miscSelect: Uint8Array;
  readonly miscSelectMask: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  readonly levels: readonly IsvLevel[];
}

/**
 * Parses the exact signed text of a QE identity.
 * @throws `STUN_JSON_FORMAT` | `STUN_QE_IDENTITY_KIND` for another id or version | `STUN_QE_IDENTITY_FORMAT` | `STUN_TCB_STATUS_UNKNOWN`
 */
export function parseQeIdentity(text: string): QeIdentity {
  const fields = new FieldReader(parseCappedJson(text), 'enclaveIdentity', 'STUN_QE_IDENTITY_FORMAT');
  const version = fields.integer('version', 0, 0xffff);
  const id = fields.string('id');
  if (version !== 2 || (id !== 'TD_QE' && id !== 'QE')) {
    throw new StunError(
      'STUN_QE_IDENTITY_KIND',
      `expected QE identity version 2 with id TD_QE or QE, got version ${version} with id ${id.slice(0, 16)}`,
    );
  }
  return {
    kind: id === 'QE' ? 'sgx' : 'tdx',
    ...readDates(fields),
    miscSelect: fields.hex('miscselect', 4),
    miscSelectMask: fields.hex('miscselectMask', 4),
    attributes: fields.hex('attributes', 16),
    attributesMask: fields.hex('attributesMask', 16),
    mrSigner: fields.hex('mrsigner', 32),
    isvProdId: fields.integer('isvprodid', 0, 65_535),
    levels: readIsvLevels(fields),
  };
}

/** @throws `STUN_QE_IDENTITY_KIND` unless the identity is of the quoting enclave that makes quotes of this kind */
export function requireQeKind(identity: QeIdentity, kind: QeIdentity['kind']): QeIdentity {
  if (identity.kind === kind) return identity;
  const id = { sgx: 'QE', tdx: 'TD_QE' };
  throw new StunError(
    'STUN_QE_IDENTITY_KIND',
    `expected the QE identity with id ${id[kind]}, got that with id ${id[identity.kind]}`,
  );
}

/** Whether (actual & mask) equals expected. */
export function equalUnderMask(actual: Uint8Array, mask: Uint8Array, expected: Uint8Array): boolean {
  return (
    actual.length === mask.length &&
    actual.length === expected.length &&
    actual.every((byte, i) => (byte & (mask[i] ?? 0)) === expected[i])
  );
}

/**
 * Verifies that a QE report is of the enclave that the identity describes. The SVN is judged by the TCB evaluation, not here.
 * @throws `STUN_QE_REPORT_IDENTITY`, naming the field
 */
export function verifyQeReportIdentity(report: EnclaveReport, identity: QeIdentity): void {
  const wrong = !equalUnderMask(report.miscSelect, identity.miscSelectMask, identity.miscSelect)
    ? 'MISCSELECT'
    : !equalUnderMask(report.attributes, identity.attributesMask, identity.attributes)
      ? 'ATTRIBUTES'
      : !equalBytes(report.mrSigner, identity.mrSigner)
        ? 'MRSIGNER'
        : report.isvProdId !== identity.isvProdId
          ? 'ISVPRODID'
          : null;
  if (wrong !== null) throw new StunError('STUN_QE_REPORT_IDENTITY', `${wrong} of the QE report differs from the QE identity`);
}
