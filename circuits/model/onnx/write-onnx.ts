/**
 * Writes ONNX files: the few protobuf messages of onnx.proto that a feed-forward graph needs, and nothing else.
 * The same model gives the same bytes: fields are written in ascending order, tensors as raw little-endian data.
 * Field numbers: onnx/onnx.proto (ONNX 1.16, IR version 9).
 */

/** ONNX element types by the name onnxruntime gives them. */
export const ELEMENT = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;
export type Element = keyof typeof ELEMENT;

/** A constant tensor; `data` holds its elements little-endian. */
export interface Initializer {
  readonly name: string;
  readonly type: Element;
  readonly dims: readonly number[];
  readonly data: Uint8Array;
  /** Names a file that holds the data in place of the model; `data` is then not written. */
  readonly externalFile?: string;
}

/** A graph input or output; a string names a dimension that is only known at run time. */
export interface ValueInfo {
  readonly name: string;
  readonly type: Element;
  readonly dims: readonly (number | string)[];
}

/** An attribute of a node: a number is an int unless given as `{ float }`. */
export type Attribute =
  | number
  | string
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly graph: Graph }
  | { readonly tensor: Initializer };

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Empty for ONNX's own operators. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers?: readonly Initializer[];
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

function join(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

const integer = (field: number, value: number | bigint): Uint8Array => join([varint(BigInt(field * 8)), varint(BigInt(value))]);
const bytes = (field: number, value: Uint8Array): Uint8Array =>
  join([varint(BigInt(field * 8 + 2)), varint(BigInt(value.length)), value]);
const text = (field: number, value: string): Uint8Array => bytes(field, new TextEncoder().encode(value));

function float(field: number, value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return join([varint(BigInt(field * 8 + 5)), data]);
}

function tensor(value: Initializer): Uint8Array {
  const { externalFile } = value;
  const content =
    externalFile === undefined
      ? bytes(9, value.data)
      : join([bytes(13, join([text(1, 'location'), text(2, externalFile)])), integer(14, 1)]);
  return join([...value.dims.map((dim) => integer(1, dim)), integer(2, ELEMENT[value.type]), text(8, value.name), content]);
}

function valueInfo(value: ValueInfo): Uint8Array {
  const dims = value.dims.map((dim) => bytes(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)));
  const tensorType = join([integer(1, ELEMENT[value.type]), bytes(2, join(dims))]);
  return join([text(1, value.name), bytes(2, bytes(1, tensorType))]);
}

function attribute(name: string, value: Attribute): Uint8Array {
  if (typeof value === 'number') return join([text(1, name), integer(3, value), integer(20, 2)]);
  if (typeof value === 'string') return join([text(1, name), text(4, value), integer(20, 3)]);
  if ('ints' in value) return join([text(1, name), ...value.ints.map((one) => integer(8, one)), integer(20, 7)]);
  if ('floats' in value) return join([text(1, name), ...value.floats.map((one) => float(7, one)), integer(20, 6)]);
  if ('strings' in value) return join([text(1, name), ...value.strings.map((one) => text(9, one)), integer(20, 8)]);
  if ('float' in value) return join([text(1, name), float(2, value.float), integer(20, 1)]);
  if ('tensor' in value) return join([text(1, name), bytes(5, tensor(value.tensor)), integer(20, 4)]);
  return join([text(1, name), bytes(6, graphBytes(value.graph)), integer(20, 5)]);
}

function node(value: Node): Uint8Array {
  return join([
    ...value.inputs.map((input) => text(1, input)),
    ...value.outputs.map((output) => text(2, output)),
    text(4, value.op),
    ...Object.entries(value.attributes ?? {}).map(([name, one]) => bytes(5, attribute(name, one))),
    ...(value.domain === undefined ? [] : [text(7, value.domain)]),
  ]);
}

function graphBytes(graph: Graph): Uint8Array {
  return join([
    ...graph.nodes.map((one) => bytes(1, node(one))),
    text(2, graph.name),
    ...(graph.initializers ?? []).map((one) => bytes(5, tensor(one))),
    ...graph.inputs.map((one) => bytes(11, valueInfo(one))),
    ...graph.outputs.map((one) => bytes(12, valueInfo(one))),
  ]);
}

/** The bytes of an ONNX file, IR version 9, default operator set 17, and set 3 of `ai.onnx.ml` where a node is of it. */
export function writeOnnx(graph: Graph, producer = 'stun'): Uint8Array<ArrayBuffer> {
  const imports = [[text(1, ''), integer(2, 17)]];
  if (graph.nodes.some(({ domain }) => domain === 'ai.onnx.ml')) imports.push([text(1, 'ai.onnx.ml'), integer(2, 3)]);
  return join([integer(1, 9), text(2, producer), bytes(7, graphBytes(graph)), ...imports.map((one) => bytes(8, join(one)))]);
}

/** A float32 initializer. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): Initializer {
  return { name, type: 'float32', dims, data: new Uint8Array(Float32Array.from(values).buffer) };
}

/** An int32 initializer. */
export function int32s(name: string, dims: readonly number[], values: readonly number[]): Initializer {
  return { name, type: 'int32', dims, data: new Uint8Array(Int32Array.from(values).buffer) };
}

/** An int64 initializer, as shapes and axes are given. */
export function int64s(name: string, dims: readonly number[], values: readonly number[]): Initializer {
  return { name, type: 'int64', dims, data: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}
