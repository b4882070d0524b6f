/**
 * Tensors in JSON files: `{ "name": { "dtype": "float32", "dims": [1, 4], "data": [1, 2, 3, 4] } }`, or a list of such objects for
 * several jobs. `base64` in place of `data` holds raw little-endian bytes. 64-bit integers may be strings.
 */
import { z } from 'zod';
import { DTYPES, readDocument, StunError, type Dtype, type NamedTensor } from '#protocol/index.ts';
import { readJson } from '../settings.ts';

const number = z.union([z.number(), z.string(), z.boolean()]);
const tensorSchema = z.strictObject({
  dtype: z.string(),
  dims: z.array(z.int().min(0)),
  data: z.array(number).optional(),
  base64: z.string().optional(),
});
const jobSchema = z.record(z.string(), tensorSchema);

type Writer = (view: DataView, offset: number, value: number | bigint) => void;

const writers: Readonly<Record<Dtype, Writer>> = {
  float32: (view, offset, value) => view.setFloat32(offset, Number(value), true),
  float64: (view, offset, value) => view.setFloat64(offset, Number(value), true),
  float16: (view, offset, value) => view.setFloat16(offset, Number(value), true),
  int8: (view, offset, value) => view.setInt8(offset, Number(value)),
  int16: (view, offset, value) => view.setInt16(offset, Number(value), true),
  int32: (view, offset, value) => view.setInt32(offset, Number(value), true),
  int64: (view, offset, value) => view.setBigInt64(offset, BigInt(value), true),
  uint8: (view, offset, value) => view.setUint8(offset, Number(value)),
  uint16: (view, offset, value) => view.setUint16(offset, Number(value), true),
  uint32: (view, offset, value) => view.setUint32(offset, Number(value), true),
  uint64: (view, offset, value) => view.setBigUint64(offset, BigInt(value), true),
  bool: (view, offset, value) => view.setUint8(offset, Number(value)),
};

/** Integer ranges; a number outside would be wrapped silently. */
function integerRange(dtype: Dtype): readonly [bigint, bigint] | undefined {
  if (dtype === 'bool') return [0n, 1n];
  const match = /^(u?)int(\d+)$/.exec(dtype);
  if (match?.[2] === undefined) return undefined;
  const bits = BigInt(match[2]);
  return match[1] === 'u' ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

function isDtype(text: string): text is Dtype {
  return Object.hasOwn(DTYPES, text);
}

function elementOf(value: number | string | boolean, dtype: Dtype, name: string): number | bigint {
  const refuse = (): never => {
    throw new StunError('STUN_INPUT', `tensor ${name} has an element that is no ${dtype}`);
  };
  const range = integerRange(dtype);
  if (range === undefined) {
    const parsed =
      typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    return Number.isFinite(parsed) ? parsed : refuse();
  }
  if (typeof value === 'string' ? !/^-?\d{1,20}$/.test(value) : typeof value === 'number' && !Number.isSafeInteger(value))
    refuse();
  const integer = BigInt(value);
  return integer < range[0] || integer > range[1] ? refuse() : integer;
}

function tensorOf(name: string, wire: z.infer<typeof tensorSchema>): NamedTensor {
  const { dtype, dims } = wire;
  if (dtype === 'string') throw new StunError('STUN_TENSOR_STRING', `tensor ${name} holds strings`);
  if (!isDtype(dtype)) throw new StunError('STUN_INPUT', `tensor ${name} has the unknown dtype ${dtype.slice(0, 20)}`);
  if ((wire.data === undefined) === (wire.base64 === undefined)) {
    throw new StunError('STUN_INPUT', `tensor ${name} needs either data or base64`);
  }
  if (wire.base64 !== undefined) return { name, dtype, dims, data: new Uint8Array(Buffer.from(wire.base64, 'base64')) };
  const values = wire.data ?? [];
  const { bytes } = DTYPES[dtype];
  const data = new Uint8Array(values.length * bytes);
  const view = new DataView(data.buffer);
  for (const [i, value] of values.entries()) writers[dtype](view, i * bytes, elementOf(value, dtype, name));
  return { name, dtype, dims, data };
}

/** The jobs of a file: each a list of tensors, in the order of the file. @throws `STUN_FILE`, `STUN_INPUT`, `STUN_TENSOR_*` */
export async function readTensorFile(path: string): Promise<NamedTensor[][]> {
  const document = await readJson(path, 'input');
  const jobs = Array.isArray(document) ? (document as unknown[]) : [document];
  return jobs.map((job) =>
    Object.entries(readDocument(jobSchema, job, `input ${path}`)).map(([name, tensor]) => tensorOf(name, tensor)),
  );
}

type Reader = (view: DataView, offset: number) => number | bigint;

const readers: Readonly<Record<Dtype, Reader>> = {
  float32: (view, offset) => view.getFloat32(offset, true),
  float64: (view, offset) => view.getFloat64(offset, true),
  float16: (view, offset) => view.getFloat16(offset, true),
  int8: (view, offset) => view.getInt8(offset),
  int16: (view, offset) => view.getInt16(offset, true),
  int32: (view, offset) => view.getInt32(offset, true),
  int64: (view, offset) => view.getBigInt64(offset, true),
  uint8: (view, offset) => view.getUint8(offset),
  uint16: (view, offset) => view.getUint16(offset, true),
  uint32: (view, offset) => view.getUint32(offset, true),
  uint64: (view, offset) => view.getBigUint64(offset, true),
  bool: (view, offset) => view.getUint8(offset),
};

/** A tensor's elements as JSON values: 64-bit integers and numbers that JSON has not (NaN, infinities) as strings. */
export function tensorToJson(tensor: NamedTensor): { dtype: string; dims: readonly number[]; data: (number | string)[] } {
  const { bytes } = DTYPES[tensor.dtype];
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  const data = Array.from({ length: tensor.data.length / bytes }, (_, i) => {
    const value = readers[tensor.dtype](view, i * bytes);
    return typeof value === 'bigint' || !Number.isFinite(value) ? String(value) : value;
  });
  return { dtype: tensor.dtype, dims: tensor.dims, data };
}
