/**
 * From the nodes of an ONNX file to a float model. Only what can be compiled is understood; everything else is refused by operator and
 * node, before anything long starts. The graph has one input and one output that is read; values may be read more than once.
 *
 * Source: ONNX operator documentation, default domain (opset 7 to 21) and `ai.onnx.ml`.
 */
import { MAX_WIDTH } from '../limits.ts';
import type { OnnxModel, OnnxNode } from '../onnx/read-onnx.ts';
import { numberAttribute, refuseNode } from './attributes.ts';
import { Builder } from './builder.ts';
import { numberedLabels, type FloatModel } from './float-model.ts';
import { Graph, sizeOf, type Known } from './graph.ts';
import { convolution, pooling } from './image-nodes.ts';
import { arithmetic, batchNormalization, gemm, linearModel, matMul, scaler } from './linear-nodes.ts';
import { reshape, transpose } from './shape-nodes.ts';
import { ensembleOf } from './understand-trees.ts';

/** A sum of two values of the graph, else arithmetic with a constant. */
function add(graph: Graph, node: OnnxNode): void {
  if (node.inputs.some((name) => graph.model.constants.has(name))) return arithmetic(graph, node);
  const [a, b] = [graph.read(node, 0), graph.read(node, 1)];
  if (a.shape.join() !== b.shape.join())
    refuseNode(node, `it adds values of [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`);
  graph.define(node, graph.builder.push({ kind: 'add', of: [a.value, b.value] }, sizeOf(a.shape)), a.shape);
}

function rectifier(graph: Graph, node: OnnxNode): void {
  const { value, shape } = graph.read(node);
  const bound = (place: number, name: string, fallback: number): number =>
    node.inputs[place] ? (graph.constant(node, place).values[0] ?? fallback) : numberAttribute(node, name, fallback);
  const relu = node.op === 'Relu';
  if (!relu && bound(1, 'min', Number.NEGATIVE_INFINITY) !== 0) refuseNode(node, 'only a lower bound of 0 is compiled');
  const ceiling = relu ? Number.POSITIVE_INFINITY : bound(2, 'max', Number.POSITIVE_INFINITY);
  if (!(ceiling > 0)) refuseNode(node, `its upper bound is ${ceiling}`);
  graph.define(node, graph.builder.push({ kind: 'rectifier', of: value, ceiling }, sizeOf(shape)), shape);
}

/** Sigmoid, Softmax and ArgMax at the end: they keep the order of scores, which is what is compiled. */
function ending(graph: Graph, node: OnnxNode): void {
  const { value, shape, ended } = graph.any(node);
  if (ended !== null && (node.op !== 'ArgMax' || (ended !== 'sigmoid' && ended !== 'softmax')))
    refuseNode(node, 'nothing may follow a sigmoid, softmax or ArgMax');
  const last = shape.length;
  const axis = numberAttribute(node, 'axis', node.op === 'ArgMax' ? 0 : -1);
  if (node.op !== 'Sigmoid' && (axis < 0 ? axis + last + 1 : axis) !== last) refuseNode(node, 'only the last axis is compiled');
  if (node.op !== 'Sigmoid' && shape.at(-1) !== sizeOf(shape))
    refuseNode(node, `it must read a vector, not [${shape.join(', ')}]`);
  if (numberAttribute(node, 'select_last_index', 0) !== 0) refuseNode(node, 'only the first of equal scores is compiled');
  if (node.op !== 'Sigmoid' && sizeOf(shape) === 1) refuseNode(node, 'of one score it is always the same');
  graph.define(node, value, shape, node.op === 'Sigmoid' ? 'sigmoid' : node.op === 'Softmax' ? 'softmax' : 'index');
}

const operators: Readonly<Record<string, (graph: Graph, node: OnnxNode) => void>> = {
  Gemm: gemm,
  MatMul: matMul,
  Add: add,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Scaler: scaler,
  LinearRegressor: linearModel,
  LinearClassifier: linearModel,
  BatchNormalization: batchNormalization,
  Conv: convolution,
  AveragePool: pooling,
  GlobalAveragePool: pooling,
  MaxPool: pooling,
  GlobalMaxPool: pooling,
  Relu: rectifier,
  Clip: rectifier,
  Transpose: transpose,
  Sigmoid: ending,
  Softmax: ending,
  ArgMax: ending,
  Identity: reshape,
  Flatten: reshape,
  Reshape: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Dropout: reshape,
  Cast: reshape,
};

function inputOf(model: OnnxModel): { name: string; shape: number[] } {
  const [input, ...more] = model.inputs;
  const first = model.nodes[0]!;
  if (input === undefined || more.length > 0)
    return refuseNode(first, `the model has ${model.inputs.length} inputs, one is compiled`);
  if (input.elementType !== 1) refuseNode(first, `the input ${input.name} must be float32`);
  const shape = input.dims.slice(1).map((dim) => dim ?? Number.NaN);
  const features = sizeOf(shape);
  if (input.dims.length < 2 || !Number.isInteger(features) || features < 1)
    return refuseNode(first, `the input ${input.name} must have known dimensions after the first`);
  if (features > MAX_WIDTH)
    refuseNode(first, `the input ${input.name} has ${features} elements, at most ${MAX_WIDTH} are compiled`);
  return { name: input.name, shape };
}

/** Every operator is one that is compiled, before any of them is looked at. */
function assertOperators(model: OnnxModel): void {
  const domains = new Set(['', 'ai.onnx', 'ai.onnx.ml']);
  for (const node of model.nodes) {
    if (!domains.has(node.domain)) refuseNode(node, `operators of ${node.domain} are not compiled`);
    if (!Object.hasOwn(operators, node.op)) refuseNode(node, 'this operator cannot be compiled');
  }
}

function outputOf(graph: Graph): Known {
  const last = graph.model.nodes.at(-1)!;
  const values = graph.model.outputs.map(
    ({ name }) => graph.known.get(name) ?? refuseNode(last, `the output ${name} is a constant`),
  );
  const [first, ...more] = values;
  if (first === undefined || more.some(({ value }) => value !== first.value))
    return refuseNode(last, 'only outputs that are read from the same scores are compiled');
  const scores = graph.builder.layerOf(first.value);
  if (scores === undefined || scores.kind === 'rectifier' || scores.kind === 'window-max')
    return refuseNode(last, 'a model ends with a linear layer');
  return values.find(({ ended }) => ended !== null) ?? first;
}

/**
 * Understands a model.
 * @throws `STUN_MODEL_OPERATOR` naming operator and node
 */
export function understand(model: OnnxModel): FloatModel {
  const { name, shape } = inputOf(model);
  const features = sizeOf(shape);
  const ensemble = ensembleOf(model, name, features);
  if (ensemble !== null) return ensemble;
  assertOperators(model);
  const graph = new Graph(model, new Builder(features));
  graph.known.set(name, { value: 0, shape, ended: null });
  for (const node of model.nodes) operators[node.op]!(graph, node);
  const { value, shape: scores, ended } = outputOf(graph);
  const reading = ended === null ? 'values' : sizeOf(scores) === 1 ? 'binary' : 'classes';
  return {
    inputName: name,
    features,
    inputShape: shape,
    layers: graph.builder.finish(value),
    reading,
    classLabels: graph.classLabels.length > 0 ? graph.classLabels : numberedLabels(reading, sizeOf(scores)),
    outputs: model.outputs.map((output) => ({ name: output.name, holds: graph.known.get(output.name)?.ended ?? 'scores' })),
  };
}
