/**
 * Reads ONNX files strictly: one graph without subgraphs, functions or data outside the file, numeric constants only, nodes in an order in
 * which each reads what is already there. What an operator means is not looked at here.
 *
 * Field numbers: onnx/onnx.proto (ONNX 1.16). Fields of documentation and of training are passed over.
 */
import { bytesOf, floatsOf, integersOf, readFields, refuseModel, textOf, type Field } from './wire.ts';

/** A constant: its elements as doubles, which hold float32, and integers up to 2^53, exactly. */
export interface Constant {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** An attribute of a node. */
export type AttributeValue = number | string | readonly number[] | readonly string[] | Constant;

/** A node; an empty input name stands for an input that was left out. */
export interface OnnxNode {
  readonly op: string;
  readonly domain: string;
  /** For people: its name, or its place in the file. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
}

/** An input or output of the graph; null stands for a dimension that is known at run time only. */
export interface OnnxValue {
  readonly name: string;
  /** ONNX element code. */
  readonly elementType: number;
  readonly dims: readonly (number | null)[];
}

export interface OnnxModel {
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: ReadonlyMap<string, Constant>;
}

/** Newest default operator set that was read when this was written. */
const NEWEST_OPSET = 21;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_NODES = 10_000;
const MAX_ELEMENTS = 16 * 1024 * 1024;

const readers: Readonly<Record<number, readonly [bytes: number, read: (view: DataView, at: number) => number]>> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [1, (view, at) => view.getInt8(at)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => safe(view.getBigInt64(at, true))],
  11: [8, (view, at) => view.getFloat64(at, true)],
};

function safe(value: bigint): number {
  const number = Number(value);
  // The ends of int64 mean "to the end" in Slice; they are read as infinities would be: refused where a value is computed with.
  if (!Number.isSafeInteger(number)) refuseModel(`the integer ${value} is beyond 2^53`);
  return number;
}

function dimsOf(dims: readonly bigint[], name: string): number[] {
  let elements = 1;
  for (const dim of dims) {
    if (dim < 0n || dim > BigInt(MAX_ELEMENTS)) refuseModel(`${name} has a dimension of ${dim}`);
    elements *= Number(dim);
    if (elements > MAX_ELEMENTS) refuseModel(`${name} has more than ${MAX_ELEMENTS} elements`);
  }
  return dims.map(Number);
}

/** TensorProto. */
function constantOf(message: Uint8Array, fallbackName: string): Constant {
  const fields = readFields(message);
  const name = textOf(fields, 8, fallbackName);
  const dims = dimsOf(integersOf(fields, 1), name);
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (fields.some(({ number }) => number === 13) || integersOf(fields, 14).some((location) => location !== 0n))
    refuseModel(`${name} keeps its data outside the file`);
  const type = Number(integersOf(fields, 2).at(-1) ?? 0n);
  const reader = readers[type] ?? refuseModel(`${name} has elements of type ${type}, which is no number that is read here`);
  const raw = bytesOf(fields, 9).at(-1);
  const values = raw === undefined ? typedValues(fields, type) : rawValues(raw, reader, name);
  if (values.length !== count) refuseModel(`${name} should have ${count} elements, it has ${values.length}`);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) refuseModel(`element ${wrong} of ${name} is not finite`);
  return { name, dims, values };
}

function rawValues(raw: Uint8Array, [width, read]: (typeof readers)[number], name: string): number[] {
  if (raw.length % width !== 0) refuseModel(`${name} has ${raw.length} bytes of data`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return Array.from({ length: raw.length / width }, (_, i) => read(view, i * width));
}

/** Data in the fields of its type: float_data 4, int32_data 5, int64_data 7; doubles must be raw. */
function typedValues(fields: readonly Field[], type: number): number[] {
  if (type === 1) return floatsOf(fields, 4);
  if (type === 11) refuseModel('doubles must be stored as raw data');
  return integersOf(fields, type === 7 ? 7 : 5).map(safe);
}

/** AttributeProto: f 2, i 3, s 4, t 5, g 6, floats 7, ints 8, strings 9, graphs 11; its type 20. */
function attributeOf(message: Uint8Array, node: string): readonly [string, AttributeValue] {
  const fields = readFields(message);
  const name = textOf(fields, 1);
  const type = Number(integersOf(fields, 20).at(-1) ?? 0n);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(0, 256));
  switch (type) {
    case 1:
      return [name, floatsOf(fields, 2).at(-1) ?? 0];
    case 2:
      return [name, safe(integersOf(fields, 3).at(-1) ?? 0n)];
    case 3:
      return [name, text(bytesOf(fields, 4).at(-1) ?? new Uint8Array())];
    case 4:
      return [name, constantOf(bytesOf(fields, 5).at(-1) ?? refuseModel(`attribute ${name} has no tensor`), name)];
    case 6:
      return [name, floatsOf(fields, 7)];
    case 7:
      return [name, integersOf(fields, 8).map(safe)];
    case 8:
      return [name, bytesOf(fields, 9).map(text)];
    default:
      return refuseModel(`attribute ${name} of ${node} is of type ${type}: subgraphs and sparse tensors are not read`);
  }
}

/** NodeProto. */
function nodeOf(message: Uint8Array, index: number): OnnxNode {
  const fields = readFields(message);
  const op = textOf(fields, 4);
  const name = textOf(fields, 3) || `node ${index} (${op})`;
  const names = (number: number): string[] =>
    bytesOf(fields, number).map((bytes) => textOf([{ number, wireType: 2, value: bytes }], number));
  const attributes = bytesOf(fields, 5).map((one) => attributeOf(one, name));
  return { op, domain: textOf(fields, 7), name, inputs: names(1), outputs: names(2), attributes: new Map(attributes) };
}

/** ValueInfoProto, of a tensor. */
function valueOf(message: Uint8Array): OnnxValue {
  const fields = readFields(message);
  const name = textOf(fields, 1);
  const inside = (of: readonly Field[], number: number): Field[] => readFields(bytesOf(of, number).at(-1) ?? new Uint8Array());
  const tensor = inside(inside(fields, 2), 1);
  const elementType = Number(integersOf(tensor, 1).at(-1) ?? refuseModel(`${name} is no tensor`));
  const dims = bytesOf(inside(tensor, 2), 1).map((one) => {
    const value = integersOf(readFields(one), 1).at(-1);
    return value === undefined ? null : (dimsOf([value], name)[0] ?? null);
  });
  return { name, elementType, dims };
}

function assertOrder(model: OnnxModel): void {
  const known = new Set([...model.constants.keys(), ...model.inputs.map(({ name }) => name)]);
  for (const node of model.nodes) {
    for (const input of node.inputs)
      if (input !== '' && !known.has(input)) refuseModel(`${node.name} reads ${input} before anything makes it`);
    for (const output of node.outputs) {
      if (output !== '' && known.has(output)) refuseModel(`${output} is made twice`);
      known.add(output);
    }
  }
  for (const { name } of model.outputs) if (!known.has(name)) refuseModel(`nothing makes the output ${name}`);
}

function opsetOf(imports: readonly Uint8Array[]): number {
  const byDomain = new Map(
    imports.map((one) => {
      const fields = readFields(one);
      return [textOf(fields, 1), Number(integersOf(fields, 2).at(-1) ?? 0n)] as const;
    }),
  );
  const opset = byDomain.get('') ?? byDomain.get('ai.onnx') ?? 0;
  if (opset < 7 || opset > NEWEST_OPSET) refuseModel(`the operator set is ${opset}, expected 7 to ${NEWEST_OPSET}`);
  return opset;
}

/**
 * Parses a model. Total: a model or a coded error for every input.
 * @throws `STUN_MODEL_FORMAT`
 */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MAX_BYTES) refuseModel(`the file has ${bytes.length} bytes, at most ${MAX_BYTES} are read`);
  const fields = readFields(bytes);
  if (bytesOf(fields, 25).length > 0) refuseModel('functions of the model’s own are not read');
  const graph = readFields(bytesOf(fields, 7).at(-1) ?? refuseModel('the file has no graph'));
  if (bytesOf(graph, 15).length > 0) refuseModel('sparse constants are not read');
  const messages = bytesOf(graph, 1);
  if (messages.length === 0 || messages.length > MAX_NODES) refuseModel(`the graph has ${messages.length} nodes`);
  const constants = bytesOf(graph, 5).map((one, i) => constantOf(one, `constant ${i}`));
  const byName = new Map(constants.map((one) => [one.name, one]));
  if (byName.size !== constants.length) refuseModel('two constants have the same name');
  const model: OnnxModel = {
    opset: opsetOf(bytesOf(fields, 8)),
    nodes: messages.map(nodeOf),
    // Old files list constants among the inputs too.
    inputs: bytesOf(graph, 11)
      .map(valueOf)
      .filter(({ name }) => !byName.has(name)),
    outputs: bytesOf(graph, 12).map(valueOf),
    constants: byName,
  };
  assertOrder(model);
  return model;
}
