/** Error codes of the client area: the SDK, its store, the audit and the command line. */
import type { ErrorEntry } from './stun-error.ts';

export const clientErrors = {
  STUN_STORE_PASSPHRASE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 400,
    doc: 'The client store or backup does not open with this passphrase. Set STUN_PASSPHRASE to the one it was made with, 8 characters or more.',
  },
  STUN_STORE_DAMAGED: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 500,
    doc: 'A file of the client store was changed, moved or damaged. Restore keys and orders from a backup into a new folder; lanes start anew.',
  },
  STUN_STORE_CONFLICT: {
    class: 'input',
    actor: 'customer',
    httpStatus: 409,
    doc: 'The client store already holds this with other contents. Nothing was overwritten.',
  },
  STUN_LANE_LOCKED: {
    class: 'unavailable',
    actor: 'customer',
    httpStatus: 423,
    doc: 'Another process uses this lane. Wait for it, or let this one open a lane of its own.',
  },
  STUN_LANE_FORK: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 409,
    doc: 'A second demand for the same place in a lane was refused: the first one stands. Never copy lanes between machines.',
  },
  STUN_ORDER_NOT_STORED: {
    class: 'input',
    actor: 'customer',
    httpStatus: 404,
    doc: 'The client store has no order with this key. Check --home, or restore the backup that holds the order.',
  },
  STUN_JOB_NOT_STORED: {
    class: 'input',
    actor: 'customer',
    httpStatus: 404,
    doc: 'The client store has no job with this id, so its result cannot be opened here. Check --home.',
  },
  STUN_JOB_PENDING: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 504,
    doc: 'The job has no result yet. Ask again; when its enclave is gone the service voids it and it can be submitted again.',
  },
  STUN_JOB_VOIDED: {
    class: 'unavailable',
    actor: 'customer',
    httpStatus: 409,
    doc: 'The job was voided and costs nothing; the reason names why. Submit it again: stun submit --resubmit.',
  },
  STUN_KEYSET_SWAPPED: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 502,
    doc: 'The service handed out a keyset that is not the one asked for, or is made for another chain or provider. Nothing was sealed; do not use this service.',
  },
  STUN_EVIDENCE_STALE: {
    class: 'policy',
    actor: 'provider',
    httpStatus: 409,
    doc: 'The nonce of the evidence is no recent block of the chain that this client sees. The provider must attest again.',
  },
  STUN_ENCLAVE_NONE: {
    class: 'unavailable',
    actor: 'provider',
    httpStatus: 503,
    doc: 'No listed enclave passes: right model, policy and price, in the order, verified and live on chain. The reason lists each refusal.',
  },
  STUN_SERVICE_UNREACHABLE: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 503,
    doc: 'The verifier service cannot be reached. Check --service; what was signed is stored and is sent again with `stun submit --resume`.',
  },
  STUN_SERVICE_RESPONSE: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 502,
    doc: 'The verifier service answered with something that is no answer of its interface. Check --service and the versions of both sides.',
  },
  STUN_CHAIN_DISAGREES: {
    class: 'verification',
    actor: 'operator',
    httpStatus: 502,
    doc: 'The chain shows something else than the file or the service says; the reason names what. Trust your own node.',
  },
  STUN_RECEIPT_FILE: {
    class: 'verification',
    actor: 'customer',
    httpStatus: 422,
    doc: 'A receipt file contradicts itself; the reason names the field. It proves nothing in this state.',
  },
  STUN_DISCLOSURE_FALSE: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'The statement is not true of the output, so no proof of it exists. Nothing was written; state what the output does show.',
  },
  STUN_DISCLOSURE_RECEIPT: {
    class: 'input',
    actor: 'customer',
    httpStatus: 422,
    doc: 'Nothing can be disclosed from this receipt: its job was not served, or its model is not a compiled one, so that it commits to bytes and not to numbers.',
  },
  STUN_AUDIT_FORMAT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 422,
    doc: 'The file is no audit bundle of a known version. docs/auditor.md describes the format.',
  },
  STUN_AUDIT_REFUTED: {
    class: 'verification',
    actor: 'caller',
    httpStatus: 422,
    doc: 'A check of the audit bundle failed; the report names the check and the field. Do not rely on the bundle.',
  },
} as const satisfies Record<string, ErrorEntry>;
