/**
 * The SGX extension of a PCK certificate: which platform it is and at which TCB.
 * Source: "SGX PCK Certificate and Certificate Revocation List Profile Specification" (Intel), section 1.3.5; OID 1.2.840.113741.1.13.1.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { DerReader, derTag } from '../asn1/der.ts';
import { readOid, readSmallInteger } from '../asn1/der-values.ts';
import type { Certificate } from '../x509/certificate.ts';
import { oid } from '../x509/extension.ts';

/** The platform's identity and TCB as Intel certified them. */
export interface PckExtension {
  /** Platform provisioning id, 16 bytes: the hardware identity. */
  readonly ppid: Uint8Array;
  /** SVN of each of the 16 SGX TCB components. */
  readonly componentSvns: readonly number[];
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
  /** Platform instance id, 16 bytes; null in certificates of the Processor CA. */
  readonly platformInstanceId: Uint8Array | null;
}

function refuse(reason: string): never {
  throw new StunError('STUN_PCK_EXTENSION', reason);
}

/** Reads SEQUENCE OF { OID, value } into readers by OID. */
function readFields(list: DerReader): Map<string, DerReader> {
  const fields = new Map<string, DerReader>();
  for (const entry of list.rest(derTag.sequence)) {
    const id = readOid(entry);
    if (fields.has(id)) refuse(`field ${id} is there twice`);
    fields.set(id, entry);
  }
  return fields;
}

function take(fields: Map<string, DerReader>, suffix: string): DerReader {
  return fields.get(`${oid.sgx}.${suffix}`) ?? refuse(`field ${suffix} is missing`);
}

function octets(fields: Map<string, DerReader>, suffix: string, length: number): Uint8Array {
  const field = take(fields, suffix);
  const value = field.read(derTag.octetString).content;
  field.end();
  if (value.length !== length) refuse(`field ${suffix} must have ${length} bytes, got ${value.length}`);
  return value;
}

function svn(fields: Map<string, DerReader>, suffix: string, max: number): number {
  const field = take(fields, suffix);
  const value = readSmallInteger(field);
  field.end();
  if (value > max) refuse(`field ${suffix} must be at most ${max}, got ${value}`);
  return value;
}

/**
 * Reads the SGX extension of a PCK certificate. Unknown fields are ignored.
 * @throws `STUN_PCK_EXTENSION`, also for DER errors inside the extension
 */
export function parsePckExtension(certificate: Certificate): PckExtension {
  const extension = certificate.extensions.get(oid.sgx);
  if (extension === undefined) refuse('the SGX extension is missing');
  try {
    const outer = new DerReader(extension.value);
    const fields = readFields(outer.enter(derTag.sequence));
    outer.end();
    const tcbField = take(fields, '2');
    const tcb = readFields(tcbField.enter(derTag.sequence));
    tcbField.end();
    return {
      ppid: octets(fields, '1', 16),
      componentSvns: Array.from({ length: 16 }, (_, i) => svn(tcb, `2.${i + 1}`, 255)),
      pceSvn: svn(tcb, '2.17', 65_535),
      cpuSvn: octets(tcb, '2.18', 16),
      pceId: octets(fields, '3', 2),
      fmspc: octets(fields, '4', 6),
      platformInstanceId: fields.has(`${oid.sgx}.6`) ? octets(fields, '6', 16) : null,
    };
  } catch (thrown) {
    if (thrown instanceof StunError) refuse(thrown.message);
    throw thrown;
  }
}
