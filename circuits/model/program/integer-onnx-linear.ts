/**
 * Linear steps and maxima of windows as nodes of the integer ONNX file: int32 products, sums and gathers. Windows are laid out as rows of a
 * matrix, so that a convolution is a product of matrices, whose kernels for int32 are exact in any order.
 */
import type { LinearMap } from '../linear-map.ts';
import { int32s, type Initializer, type Node } from '../onnx/write-onnx.ts';
import { OUTSIDE, tapsOf, windowsOf } from '../sliding.ts';
import { valueName, type Operation } from './program.ts';

/** The file under construction. */
export interface Graph {
  readonly nodes: Node[];
  readonly initializers: Initializer[];
}

function affine(graph: Graph, operation: Extract<LinearMap, { kind: 'affine' }>, to: string): void {
  const outputs = operation.weights.length;
  const inputs = operation.weights[0]?.length ?? 0;
  const columns = new Array<number>(inputs * outputs);
  for (const [o, row] of operation.weights.entries()) for (const [i, weight] of row.entries()) columns[i * outputs + o] = weight;
  graph.initializers.push(
    int32s(`${to}_weights`, [inputs, outputs], columns),
    int32s(`${to}_biases`, [outputs], operation.biases),
  );
  graph.nodes.push(
    { op: 'MatMul', inputs: [valueName(operation.of), `${to}_weights`], outputs: [`${to}_products`] },
    { op: 'Add', inputs: [`${to}_products`, `${to}_biases`], outputs: [to] },
  );
}

/** Places as one gather takes them; taps in the padding read what was laid behind the value. */
function gather(graph: Graph, from: string, to: string, dims: readonly number[], places: readonly number[]): void {
  graph.initializers.push(int32s(`${to}_places`, dims, places));
  graph.nodes.push({ op: 'Gather', inputs: [from, `${to}_places`], outputs: [to], attributes: { axis: 1 } });
}

/** The value with one more element for each channel behind it, where windows reach into the padding. */
function padded(graph: Graph, of: number, to: string, taps: readonly number[][], padding: readonly number[]): string {
  if (taps.every((window) => !window.includes(OUTSIDE))) return valueName(of);
  graph.initializers.push(int32s(`${to}_padding`, [1, padding.length], padding));
  graph.nodes.push({
    op: 'Concat',
    inputs: [valueName(of), `${to}_padding`],
    outputs: [`${to}_padded`],
    attributes: { axis: 1 },
  });
  return `${to}_padded`;
}

/** Windows laid out as rows of a matrix, times the kernels of their group. */
function convolve(graph: Graph, operation: Extract<LinearMap, { kind: 'convolve' }>, to: string): void {
  const { of, sliding, groups, weights, biases, padding } = operation;
  const taps = tapsOf(sliding);
  const [positions, perGroup, outputs] = [taps.length, sliding.channels / groups, weights.length / groups];
  const plane = sliding.height * sliding.width;
  const terms = perGroup * taps[0]!.length;
  const place = (tap: number, channel: number): number =>
    tap === OUTSIDE ? sliding.channels * plane + channel : channel * plane + tap;
  const places = Array.from({ length: groups }, (_, g) =>
    taps.map((window) => Array.from({ length: perGroup }, (__, c) => window.map((tap) => place(tap, g * perGroup + c))).flat()),
  ).flat(2);
  const columns = Array.from({ length: groups }, (_, g) =>
    Array.from({ length: terms }, (__, k) => Array.from({ length: outputs }, (___, o) => weights[g * outputs + o]![k]!)),
  ).flat(2);
  gather(graph, padded(graph, of, to, taps, padding), `${to}_windows`, [groups, positions, terms], places);
  graph.initializers.push(
    int32s(`${to}_weights`, [groups, terms, outputs], columns),
    int32s(`${to}_biases`, [groups, 1, outputs], biases),
  );
  graph.nodes.push(
    { op: 'MatMul', inputs: [`${to}_windows`, `${to}_weights`], outputs: [`${to}_products`] },
    { op: 'Add', inputs: [`${to}_products`, `${to}_biases`], outputs: [`${to}_sums`] },
    { op: 'Transpose', inputs: [`${to}_sums`], outputs: [`${to}_channels`], attributes: { perm: { ints: [0, 1, 3, 2] } } },
    { op: 'Flatten', inputs: [`${to}_channels`], outputs: [to] },
  );
}

/**
 * Emits sums or maxima of windows: windows as rows, then their sums as a product with ones, or their maxima, to which a place that stands twice
 * adds nothing.
 */
export function pool(graph: Graph, operation: Extract<Operation, { kind: 'window-sum' | 'window-max' }>, to: string): void {
  const { of, sliding, kind } = operation;
  const [taps, windows] = [tapsOf(sliding), windowsOf(sliding)];
  const size = taps[0]!.length;
  const outside = sliding.channels * sliding.height * sliding.width;
  const filled = windows.flatMap((window) =>
    Array.from({ length: size }, (_, k) => window[k] ?? (kind === 'window-max' ? window[0]! : outside)),
  );
  const from = kind === 'window-max' ? valueName(of) : padded(graph, of, to, taps, [0]);
  gather(graph, from, `${to}_windows`, [windows.length, size], filled);
  if (kind === 'window-max') {
    const attributes = { axes: { ints: [2] }, keepdims: 0 };
    graph.nodes.push({ op: 'ReduceMax', inputs: [`${to}_windows`], outputs: [to], attributes });
    return;
  }
  graph.initializers.push(int32s(`${to}_ones`, [size, 1], new Array<number>(size).fill(1)));
  graph.nodes.push(
    { op: 'MatMul', inputs: [`${to}_windows`, `${to}_ones`], outputs: [`${to}_sums`] },
    { op: 'Flatten', inputs: [`${to}_sums`], outputs: [to] },
  );
}

function scale(graph: Graph, { of, factors, biases }: Extract<LinearMap, { kind: 'scale' }>, to: string): void {
  graph.initializers.push(int32s(`${to}_factors`, [factors.length], factors), int32s(`${to}_biases`, [biases.length], biases));
  graph.nodes.push(
    { op: 'Mul', inputs: [valueName(of), `${to}_factors`], outputs: [`${to}_products`] },
    { op: 'Add', inputs: [`${to}_products`, `${to}_biases`], outputs: [to] },
  );
}

/** Emits a linear step as the value `to`. */
export function emitLinear(graph: Graph, operation: LinearMap, to: string): void {
  switch (operation.kind) {
    case 'affine':
      return affine(graph, operation, to);
    case 'convolve':
      return convolve(graph, operation, to);
    case 'window-sum':
      return pool(graph, operation, to);
    case 'scale':
      return scale(graph, operation, to);
    case 'rearrange':
      return gather(graph, valueName(operation.of), to, [operation.order.length], operation.order);
    case 'add':
      graph.nodes.push({ op: 'Add', inputs: operation.of.map(valueName), outputs: [to] });
  }
}
