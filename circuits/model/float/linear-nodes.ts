/** Nodes that are dense layers and scalings: Gemm, MatMul, arithmetic with constants, Scaler, linear models, BatchNormalization. */
import type { Constant, OnnxNode } from '../onnx/read-onnx.ts';
import { classLabelsOf, numberAttribute, numbersAttribute, refuseNode, textAttribute } from './attributes.ts';
import { sizeOf, type Graph } from './graph.ts';

/** Products of two dense layers without an activation between them, at most. */
const MAX_MERGED = 1 << 28;

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

function assertFinite(node: OnnxNode, values: readonly number[]): void {
  if (!values.every(Number.isFinite)) refuseNode(node, 'its weights are not finite');
}

function addAffine(graph: Graph, node: OnnxNode, weights: readonly (readonly number[])[], biases: readonly number[]): void {
  const { value, shape } = graph.readVector(node);
  for (const row of [...weights, biases]) assertFinite(node, row);
  const width = sizeOf(shape);
  if (weights.some((row) => row.length !== width)) refuseNode(node, `it should take ${width} values`);
  const before = graph.builder.layerOf(value);
  const merging = before?.kind === 'affine' ? weights.length * width * (before.weights[0]?.length ?? 0) : 0;
  if (merging > MAX_MERGED)
    refuseNode(node, 'it follows a dense layer without an activation and both are too large to be merged');
  graph.define(node, graph.builder.affine({ kind: 'affine', of: value, weights, biases }), [
    ...shape.slice(0, -1),
    weights.length,
  ]);
}

function addScale(graph: Graph, node: OnnxNode, factors: readonly number[], biases: readonly number[], place = 0): void {
  const { value, shape } = graph.read(node, place);
  assertFinite(node, factors);
  assertFinite(node, biases);
  graph.define(node, graph.builder.scale({ kind: 'scale', of: value, factors, biases }), shape);
}

function matrixOf(node: OnnxNode, { dims, values }: Constant, transposed: boolean): number[][] {
  const [rows = 0, columns = 0] = dims;
  if (dims.length !== 2) refuseNode(node, `its weights must be a matrix, they have ${dims.length} dimensions`);
  const [outputs, inputs] = transposed ? [rows, columns] : [columns, rows];
  return Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: inputs }, (__, i) => values[transposed ? o * columns + i : i * columns + o]!),
  );
}

/** A constant as one value for each element of a shape: dimensions are matched from the last on, those of 1 repeat. */
function broadcast(node: OnnxNode, { dims, values }: Constant, shape: readonly number[]): number[] {
  const size = sizeOf(shape);
  if (values.length === 1) return new Array<number>(size).fill(values[0]!);
  const own = dims.slice(Math.max(0, dims.length - shape.length));
  const fits = own.every((dim, i) => dim === 1 || dim === shape[shape.length - own.length + i]);
  if (!fits || sizeOf(own) !== values.length)
    refuseNode(node, `a constant of [${dims.join(', ')}] for values of [${shape.join(', ')}]`);
  return Array.from({ length: size }, (_, at) => {
    let [rest, place, stride] = [at, 0, 1];
    for (let axis = shape.length - 1; axis >= shape.length - own.length; axis--) {
      const dim = own[axis - shape.length + own.length]!;
      place += dim === 1 ? 0 : stride * (rest % shape[axis]!);
      stride *= dim;
      rest = Math.floor(rest / shape[axis]!);
    }
    return values[place]!;
  });
}

/** alpha · A · B + beta · C. */
export function gemm(graph: Graph, node: OnnxNode): void {
  if (numberAttribute(node, 'transA', 0) !== 0) refuseNode(node, 'transA is not compiled');
  const weights = matrixOf(node, graph.constant(node, 1), numberAttribute(node, 'transB', 0) !== 0);
  const [alpha, beta] = [numberAttribute(node, 'alpha', 1), numberAttribute(node, 'beta', 1)];
  const width = weights.length;
  const biases = node.inputs[2] ? broadcast(node, graph.constant(node, 2), [width]) : zeros(width);
  addAffine(
    graph,
    node,
    weights.map((row) => row.map((weight) => alpha * weight)),
    biases.map((bias) => beta * bias),
  );
}

/** A product with a constant matrix. */
export function matMul(graph: Graph, node: OnnxNode): void {
  const weights = matrixOf(node, graph.constant(node, 1), false);
  addAffine(graph, node, weights, zeros(weights.length));
}

/** y = scale · (x - mean) / √(variance + ε) + bias, with one of each for every channel. */
export function batchNormalization(graph: Graph, node: OnnxNode): void {
  if (numberAttribute(node, 'training_mode', 0) !== 0) refuseNode(node, 'training_mode is not compiled');
  const { shape } = graph.read(node);
  const plane = sizeOf(shape.slice(1));
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((place) => {
    const { values } = graph.constant(node, place);
    return values.length === shape[0] ? values : refuseNode(node, `${values.length} values for ${shape[0]} channels`);
  });
  const epsilon = numberAttribute(node, 'epsilon', 1e-5);
  const spread = (values: readonly number[]): number[] => values.flatMap((value) => new Array<number>(plane).fill(value));
  const factors = scale!.map((one, i) => one / Math.sqrt(variance![i]! + epsilon));
  addScale(graph, node, spread(factors), spread(factors.map((factor, i) => bias![i]! - factor * mean![i]!)));
}

/** Add, Sub, Mul and Div with a constant on either side. */
export function arithmetic(graph: Graph, node: OnnxNode): void {
  const place = graph.model.constants.has(node.inputs[0] ?? '') ? 1 : 0;
  const { shape } = graph.read(node, place);
  const values = broadcast(node, graph.constant(node, 1 - place), shape);
  const ones = values.map(() => 1);
  const negative = (of: readonly number[]): number[] => of.map((value) => -value);
  switch (node.op) {
    case 'Add':
      return addScale(graph, node, ones, values, place);
    case 'Mul':
      return addScale(graph, node, values, zeros(values.length), place);
    case 'Sub':
      return place === 0
        ? addScale(graph, node, ones, negative(values), place)
        : addScale(graph, node, negative(ones), values, place);
    default:
      if (place === 1) refuseNode(node, 'a constant divided by a value is not compiled');
      return addScale(
        graph,
        node,
        values.map((value) => 1 / value),
        zeros(values.length),
      );
  }
}

/** y = (x - offset) · scale. */
export function scaler(graph: Graph, node: OnnxNode): void {
  const { shape } = graph.read(node);
  const list = (name: string): number[] => {
    const values = numbersAttribute(node, name);
    return broadcast(node, { name, dims: [values.length], values }, shape);
  };
  const [offset, scale] = [list('offset'), list('scale')];
  addScale(
    graph,
    node,
    scale,
    scale.map((one, i) => -one * offset[i]!),
  );
}

/** How the scores of LinearClassifier may be turned into probabilities: both keep their order. */
const transforms: Readonly<Record<string, 'sigmoid' | 'softmax' | 'scores'>> = {
  NONE: 'scores',
  LOGISTIC: 'sigmoid',
  SOFTMAX: 'softmax',
};

/** LinearRegressor, and LinearClassifier, whose scores are compared. */
export function linearModel(graph: Graph, node: OnnxNode): void {
  const coefficients = numbersAttribute(node, 'coefficients');
  const width = sizeOf(graph.readVector(node).shape);
  const outputs = coefficients.length / width;
  if (!Number.isInteger(outputs) || outputs < 1) refuseNode(node, `${coefficients.length} coefficients for ${width} features`);
  const transform = textAttribute(node, 'post_transform', 'NONE');
  const ended = transforms[transform];
  if (ended === undefined || (node.op === 'LinearRegressor' && ended !== 'scores'))
    refuseNode(node, `post_transform ${transform} is not compiled`);
  const intercepts = numbersAttribute(node, 'intercepts');
  if (intercepts.length !== outputs && (intercepts.length !== 0 || node.op === 'LinearClassifier'))
    refuseNode(node, `${intercepts.length} intercepts for ${outputs} scores`);
  const rows = Array.from({ length: outputs }, (_, o) => coefficients.slice(o * width, (o + 1) * width));
  addAffine(graph, node, rows, intercepts.length === 0 ? zeros(outputs) : intercepts);
  if (node.op === 'LinearRegressor') return;
  if (outputs === 1 && ended === 'softmax') refuseNode(node, 'of one score a softmax is always the same');
  graph.classLabels = classLabelsOf(node, 'classlabels_ints', outputs);
  // Label and scores: either may be the output of the graph, and both are read from the same scores.
  const made = graph.any({ ...node, inputs: node.outputs });
  for (const [i, name] of node.outputs.entries()) graph.known.set(name, { ...made, ended: i === 0 ? 'label' : ended });
}
