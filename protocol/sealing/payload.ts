/** What is inside sealed requests and results: two blindings or one, then the committed payload bytes. */
import { bigIntToBytes, bytesToBigInt, concatBytes, utf8 } from '../bytes.ts';
import { StunError } from '../errors/stun-error.ts';
import { isErrorCode, type ErrorCode } from '../errors/registry.ts';
import { assertField } from '../field.ts';

/** The plaintext of a request. */
export interface RequestData {
  readonly inputBlinding: bigint;
  readonly outputBlinding: bigint;
  /** The committed bytes: a tensor payload. */
  readonly payload: Uint8Array;
}

/** inputBlinding 32 ‖ outputBlinding 32 ‖ payload. */
export function encodeRequestData(data: RequestData): Uint8Array<ArrayBuffer> {
  return concatBytes(
    bigIntToBytes(assertField(data.inputBlinding, 'input blinding'), 32),
    bigIntToBytes(assertField(data.outputBlinding, 'output blinding'), 32),
    data.payload,
  );
}

/** Reverse of encodeRequestData. @throws `STUN_ENVELOPE_LAYOUT`, `STUN_RANGE` */
export function decodeRequestData(bytes: Uint8Array): RequestData {
  if (bytes.length < 64) throw new StunError('STUN_ENVELOPE_LAYOUT', 'request data has at least 64 bytes');
  return {
    inputBlinding: assertField(bytesToBigInt(bytes.subarray(0, 32)), 'input blinding'),
    outputBlinding: assertField(bytesToBigInt(bytes.subarray(32, 64)), 'output blinding'),
    payload: bytes.slice(64),
  };
}

/** The plaintext of a result. */
export interface ResultData {
  readonly outputBlinding: bigint;
  readonly payload: Uint8Array;
}

/** outputBlinding 32 ‖ payload. */
export function encodeResultData(data: ResultData): Uint8Array<ArrayBuffer> {
  return concatBytes(bigIntToBytes(assertField(data.outputBlinding, 'output blinding'), 32), data.payload);
}

/** Reverse of encodeResultData. @throws `STUN_ENVELOPE_LAYOUT`, `STUN_RANGE` */
export function decodeResultData(bytes: Uint8Array): ResultData {
  if (bytes.length < 32) throw new StunError('STUN_ENVELOPE_LAYOUT', 'result data has at least 32 bytes');
  return { outputBlinding: assertField(bytesToBigInt(bytes.subarray(0, 32)), 'output blinding'), payload: bytes.slice(32) };
}

const ERROR_MAGIC = 'STUNERR1';

/** The payload of a job that was not served: why, as a registry code. */
export function encodeErrorPayload(code: ErrorCode): Uint8Array<ArrayBuffer> {
  return utf8(ERROR_MAGIC + code);
}

/** The code of an error payload, or undefined when the payload is none. */
export function decodeErrorPayload(payload: Uint8Array): ErrorCode | undefined {
  if (payload.length > 128) return undefined;
  const text = new TextDecoder().decode(payload);
  if (!text.startsWith(ERROR_MAGIC)) return undefined;
  const code = text.slice(ERROR_MAGIC.length);
  return isErrorCode(code) ? code : 'STUN_INTERNAL';
}
