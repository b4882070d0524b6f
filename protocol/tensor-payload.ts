/**
 * The bytes of model inputs and outputs, exactly as they are committed to. docs/protocol.md section 6.
 * One encoding per value: names, shapes and data are written in one way only, so the same tensors give the same digest.
 */
import { bigIntToBytes, bytesToBigInt, concatBytes, uintBytes, utf8 } from './bytes.ts';
import { StunError } from './errors/stun-error.ts';

const MAGIC = utf8('STUNTNS1');

/** Supported element types: ONNX TensorProto code and bytes per element. Strings (code 8) are refused. */
export const DTYPES = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  uint16: { code: 4, bytes: 2 },
  int16: { code: 5, bytes: 2 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
  uint32: { code: 12, bytes: 4 },
  uint64: { code: 13, bytes: 8 },
} as const;
/** Name of an element type, as onnxruntime names it. */
export type Dtype = keyof typeof DTYPES;

const byCode = new Map<number, Dtype>(Object.entries(DTYPES).map(([name, type]) => [type.code, name as Dtype]));

/** A tensor with its name; data is little-endian, row-major. */
export interface NamedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

function fail(reason: string): never {
  throw new StunError('STUN_TENSOR_LAYOUT', `tensor payload: ${reason}`);
}

function checkCount(count: number): void {
  if (count > 256) fail('it has more than 256 tensors');
}

function encodeName(name: string): Uint8Array {
  const bytes = utf8(name);
  if (!name.isWellFormed()) fail('a name is not UTF-8');
  if (bytes.length > 0xffff) fail('a name has more than 65,535 bytes');
  return bytes;
}

function checkTensor(tensor: NamedTensor): number {
  if (tensor.dims.length > 16) fail(`${tensor.name} has more than 16 dimensions`);
  let size: number = DTYPES[tensor.dtype].bytes;
  for (const dim of tensor.dims) {
    if (!Number.isSafeInteger(dim) || dim < 0) fail(`${tensor.name} has a dimension that is no count`);
    size *= dim;
  }
  if (!Number.isSafeInteger(size) || size !== tensor.data.length) fail(`${tensor.name} should have ${size} bytes of data`);
  if (tensor.dtype === 'bool' && tensor.data.some((byte) => byte > 1)) fail(`${tensor.name} has a bool that is neither 0 nor 1`);
  return size;
}

/** Encodes tensors in the given order. @throws `STUN_TENSOR_LAYOUT` for what {@link decodeTensors} would not give back */
export function encodeTensors(tensors: readonly NamedTensor[]): Uint8Array<ArrayBuffer> {
  checkCount(tensors.length);
  if (new Set(tensors.map((tensor) => tensor.name)).size !== tensors.length) fail('two tensors have the same name');
  const parts: Uint8Array[] = [MAGIC, uintBytes(tensors.length, 4)];
  for (const tensor of tensors) {
    const size = checkTensor(tensor);
    const name = encodeName(tensor.name);
    parts.push(uintBytes(name.length, 2), name);
    parts.push(uintBytes(DTYPES[tensor.dtype].code, 1), uintBytes(tensor.dims.length, 1));
    parts.push(...tensor.dims.map((dim) => bigIntToBytes(BigInt(dim), 8)), bigIntToBytes(BigInt(size), 8), tensor.data);
  }
  return concatBytes(...parts);
}

/**
 * Decodes tensors; exact consumption.
 * @throws `STUN_TENSOR_LAYOUT`, and `STUN_TENSOR_STRING` for a string tensor
 */
export function decodeTensors(bytes: Uint8Array): NamedTensor[] {
  let offset = 0;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - offset) fail(`it is truncated at byte ${bytes.length}`);
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const uint = (length: number): number => {
    const value = bytesToBigInt(take(length));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) fail('a length is too large');
    return Number(value);
  };
  if (MAGIC.some((byte) => take(1)[0] !== byte)) fail('it must start with STUNTNS1');
  const count = uint(4);
  checkCount(count);
  const names = new Set<string>();
  const tensors: NamedTensor[] = [];
  for (let i = 0; i < count; i++) {
    const name = decodeName(take(uint(2)));
    if (names.has(name)) fail('two tensors have the same name');
    names.add(name);
    const code = uint(1);
    if (code === 8) throw new StunError('STUN_TENSOR_STRING', `tensor ${i} holds strings`);
    const dtype = byCode.get(code) ?? fail(`tensor ${i} has the unknown element type ${code}`);
    const rank = uint(1);
    if (rank > 16) fail(`tensor ${i} has more than 16 dimensions`);
    const dims = Array.from({ length: rank }, () => uint(8));
    const tensor = { name, dtype, dims, data: take(uint(8)).slice() };
    checkTensor(tensor);
    tensors.push(tensor);
  }
  if (offset !== bytes.length) fail(`${bytes.length - offset} bytes follow the last tensor`);
  return tensors;
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('a name is not UTF-8');
  }
}
