/**
 * From the nodes of an ONNX file to a float model. Only what can be compiled is understood; everything else is refused by operator and
 * node, before anything long starts. The graph must be one chain from one input to one output.
 *
 * Source: ONNX operator documentation, default domain (opset 7 to 21) and `ai.onnx.ml`.
 */
import type { Constant, OnnxModel, OnnxNode } from '../onnx/read-onnx.ts';
import { numberAttribute, numbersAttribute, refuseNode } from './attributes.ts';
import { ensembleOf } from './understand-trees.ts';
import type { Affine, FloatModel, Rectifier } from './float-model.ts';

/** What is known while the chain is followed. */
interface Chain {
  readonly model: OnnxModel;
  readonly layers: (Affine | Rectifier)[];
  /** Elements of the running value. */
  width: number;
  dropped: FloatModel['dropped'];
  argMax: boolean;
}

function constantOf(chain: Chain, node: OnnxNode, place: number): Constant {
  const name = node.inputs[place] ?? '';
  return chain.model.constants.get(name) ?? refuseNode(node, `input ${place} must be a constant`);
}

/** Adds an affine layer, merged into one before it. */
function addAffine(chain: Chain, node: OnnxNode, weights: readonly (readonly number[])[], biases: readonly number[]): void {
  if (chain.dropped !== 'none' || chain.argMax) refuseNode(node, 'nothing may follow a sigmoid, softmax or ArgMax');
  const finite = (values: readonly number[]): boolean => values.every(Number.isFinite);
  if (!weights.every(finite) || !finite(biases)) refuseNode(node, 'its weights are not finite');
  if (weights.some((row) => row.length !== chain.width)) refuseNode(node, `it should take ${chain.width} values`);
  const before = chain.layers.at(-1);
  if (before?.kind === 'affine') {
    chain.layers.pop();
    const columns = before.weights[0]?.length ?? 0;
    const merged = weights.map((row) =>
      Array.from({ length: columns }, (_, i) => row.reduce((sum, weight, k) => sum + weight * before.weights[k]![i]!, 0)),
    );
    const shifted = weights.map((row, o) => row.reduce((sum, weight, k) => sum + weight * before.biases[k]!, biases[o]!));
    chain.layers.push({ kind: 'affine', weights: merged, biases: shifted });
  } else {
    chain.layers.push({ kind: 'affine', weights, biases });
  }
  chain.width = weights.length;
}

function matrixOf(node: OnnxNode, { dims, values }: Constant, transposed: boolean): number[][] {
  const [rows = 0, columns = 0] = dims;
  if (dims.length !== 2) refuseNode(node, `its weights must be a matrix, they have ${dims.length} dimensions`);
  const [outputs, inputs] = transposed ? [rows, columns] : [columns, rows];
  return Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: inputs }, (__, i) => values[transposed ? o * columns + i : i * columns + o]!),
  );
}

/** One value for each element of the running vector, from a constant that broadcasts to it. */
function spread(chain: Chain, node: OnnxNode, { values }: Constant, width = chain.width): number[] {
  if (values.length === 1) return new Array<number>(width).fill(values[0]!);
  return values.length === width ? [...values] : refuseNode(node, `a constant of ${values.length} elements for ${width}`);
}

function diagonal(chain: Chain, node: OnnxNode, factors: readonly number[], offsets: readonly number[]): void {
  const rows = factors.map((factor, o) => factors.map((_, i) => (i === o ? factor : 0)));
  addAffine(chain, node, rows, offsets);
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0);

function gemm(chain: Chain, node: OnnxNode): void {
  if (numberAttribute(node, 'transA', 0) !== 0) refuseNode(node, 'transA is not compiled');
  const weights = matrixOf(node, constantOf(chain, node, 1), numberAttribute(node, 'transB', 0) !== 0);
  const [alpha, beta] = [numberAttribute(node, 'alpha', 1), numberAttribute(node, 'beta', 1)];
  const biases =
    node.inputs[2] === undefined ? zeros(weights.length) : spread(chain, node, constantOf(chain, node, 2), weights.length);
  addAffine(
    chain,
    node,
    weights.map((row) => row.map((weight) => alpha * weight)),
    biases.map((bias) => beta * bias),
  );
}

/** y = scale · (x - mean) / √(variance + ε) + bias, for one value a channel. */
function batchNormalization(chain: Chain, node: OnnxNode): void {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((place) => spread(chain, node, constantOf(chain, node, place)));
  const epsilon = numberAttribute(node, 'epsilon', 1e-5);
  const factors = scale!.map((one, i) => one / Math.sqrt(variance![i]! + epsilon));
  diagonal(
    chain,
    node,
    factors,
    factors.map((factor, i) => bias![i]! - factor * mean![i]!),
  );
}

function linearOf(chain: Chain, node: OnnxNode): void {
  const coefficients = numbersAttribute(node, 'coefficients');
  const outputs = coefficients.length / chain.width;
  if (!Number.isInteger(outputs) || outputs < 1)
    refuseNode(node, `${coefficients.length} coefficients for ${chain.width} features`);
  const rows = Array.from({ length: outputs }, (_, o) => coefficients.slice(o * chain.width, (o + 1) * chain.width));
  const intercepts = numbersAttribute(node, 'intercepts');
  addAffine(chain, node, rows, intercepts.length === 0 ? zeros(outputs) : intercepts);
}

function constantStep(chain: Chain, node: OnnxNode): void {
  const place = chain.model.constants.has(node.inputs[0] ?? '') ? 0 : 1;
  const values = spread(chain, node, constantOf(chain, node, place));
  const ones = values.map(() => 1);
  switch (node.op) {
    case 'Add':
      return diagonal(chain, node, ones, values);
    case 'Mul':
      return diagonal(chain, node, values, zeros(values.length));
    case 'Sub':
      return place === 1
        ? diagonal(
            chain,
            node,
            ones,
            values.map((value) => -value),
          )
        : diagonal(
            chain,
            node,
            ones.map(() => -1),
            values,
          );
    default:
      if (place === 0) refuseNode(node, 'a constant divided by a value is not compiled');
      return diagonal(
        chain,
        node,
        values.map((value) => 1 / value),
        zeros(values.length),
      );
  }
}

function rectifier(chain: Chain, node: OnnxNode): void {
  if (node.op === 'Relu') {
    chain.layers.push({ kind: 'rectifier', ceiling: Number.POSITIVE_INFINITY });
    return;
  }
  const bound = (place: number, name: string, fallback: number): number =>
    node.inputs[place] ? (constantOf(chain, node, place).values[0] ?? fallback) : numberAttribute(node, name, fallback);
  if (bound(1, 'min', Number.NEGATIVE_INFINITY) !== 0) refuseNode(node, 'only a lower bound of 0 is compiled');
  chain.layers.push({ kind: 'rectifier', ceiling: bound(2, 'max', Number.POSITIVE_INFINITY) });
}

/** Operators that leave a vector as it is. */
const passing = new Set(['Identity', 'Flatten', 'Reshape', 'Squeeze', 'Unsqueeze', 'Dropout', 'Cast']);

function follow(chain: Chain, node: OnnxNode): void {
  switch (node.op) {
    case 'Gemm':
      return gemm(chain, node);
    case 'MatMul':
      return addAffineMatrix(chain, node);
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
      return constantStep(chain, node);
    case 'BatchNormalization':
      return batchNormalization(chain, node);
    case 'Scaler':
      return scaler(chain, node);
    case 'LinearRegressor':
    case 'LinearClassifier':
      return linearOf(chain, node);
    case 'Relu':
    case 'Clip':
      return rectifier(chain, node);
    case 'Sigmoid':
    case 'Softmax':
      chain.dropped = node.op === 'Sigmoid' ? 'sigmoid' : 'softmax';
      return;
    case 'ArgMax':
      chain.argMax = true;
      return;
    default:
      if (!passing.has(node.op)) refuseNode(node, 'this operator cannot be compiled');
  }
}

function addAffineMatrix(chain: Chain, node: OnnxNode): void {
  const weights = matrixOf(node, constantOf(chain, node, 1), false);
  addAffine(chain, node, weights, zeros(weights.length));
}

/** y = (x - offset) · scale. */
function scaler(chain: Chain, node: OnnxNode): void {
  const list = (name: string): number[] => spread(chain, node, { name, dims: [], values: numbersAttribute(node, name) });
  const [offset, scale] = [list('offset'), list('scale')];
  diagonal(
    chain,
    node,
    scale,
    scale.map((one, i) => -one * offset[i]!),
  );
}

function inputOf(model: OnnxModel): { name: string; features: number } {
  const [input, ...more] = model.inputs;
  const first = model.nodes[0]!;
  if (input === undefined || more.length > 0)
    return refuseNode(first, `the model has ${model.inputs.length} inputs, one is compiled`);
  if (input.elementType !== 1) refuseNode(first, `the input ${input.name} must be float32`);
  const features = input.dims.slice(1).reduce((product: number, dim) => product * (dim ?? Number.NaN), 1);
  if (input.dims.length < 2 || !Number.isInteger(features) || features < 1)
    return refuseNode(first, `the input ${input.name} must have known dimensions after the first`);
  return { name: input.name, features };
}

/** The nodes in one chain: each reads what the one before made. */
function assertChain(model: OnnxModel, inputName: string): void {
  let running = inputName;
  for (const node of model.nodes) {
    const read = node.inputs.filter((name) => name !== '' && !model.constants.has(name));
    if (read.length !== 1 || read[0] !== running) refuseNode(node, 'only one chain from input to output is compiled');
    running = node.outputs[0] ?? '';
  }
}

/**
 * Understands a model.
 * @throws `STUN_MODEL_OPERATOR` naming operator and node
 */
export function understand(model: OnnxModel): FloatModel {
  const { name, features } = inputOf(model);
  const domains = new Set(['', 'ai.onnx', 'ai.onnx.ml']);
  for (const node of model.nodes) if (!domains.has(node.domain)) refuseNode(node, `operators of ${node.domain} are not compiled`);
  const ensemble = ensembleOf(model, name, features);
  if (ensemble !== null) return ensemble;
  assertChain(model, name);
  const chain: Chain = { model, layers: [], width: features, dropped: 'none', argMax: false };
  for (const node of model.nodes) follow(chain, node);
  if (chain.layers.at(-1)?.kind !== 'affine') refuseNode(model.nodes.at(-1)!, 'a model ends with an affine layer');
  const single = chain.width === 1;
  const reading = chain.dropped === 'none' && !chain.argMax ? 'values' : single ? 'binary' : 'classes';
  return { inputName: name, features, layers: chain.layers, reading, dropped: chain.dropped };
}
