/**
 * The integer program as the ONNX file that a worker runs. Everything is int32 arithmetic on the CPU: products and sums that `programBounds`
 * keeps within 32 bits, so the order in which a kernel adds does not matter, and none of the 8-bit kernels that saturate.
 *
 * Trees run in ONNX's own ensemble operator over floats that are whole numbers below 2^24, which floats add exactly.
 */
import { int32s, writeOnnx } from '../onnx/write-onnx.ts';
import type { Tree } from '../constraints/gadgets/trees.ts';
import { isLinear } from '../linear-map.ts';
import type { FloatTree } from '../float/float-model.ts';
import { treeEnsemble } from '../onnx/tree-ensemble.ts';
import { roundingHalf } from '../constraints/gadgets/requantise.ts';
import { programBounds } from './bounds.ts';
import { emitLinear, pool, type Graph } from './integer-onnx-linear.ts';
import { valueName, type IntegerProgram, type Operation } from './program.ts';

/** Division of int32 truncates towards zero, so negative values are cut off before it. */
function requantise(graph: Graph, operation: Extract<Operation, { kind: 'requantise' }>, to: string): void {
  const { shifts, maximum } = operation;
  const halves = shifts.map((shift) => Number(roundingHalf(shift)));
  graph.initializers.push(
    int32s(`${to}_halves`, [shifts.length], halves),
    int32s(
      `${to}_divisors`,
      [shifts.length],
      shifts.map((shift) => 2 ** shift),
    ),
    int32s(`${to}_zero`, [], [0]),
    int32s(`${to}_maximum`, [], [maximum]),
  );
  graph.nodes.push(
    { op: 'Add', inputs: [valueName(operation.of), `${to}_halves`], outputs: [`${to}_rounded`] },
    { op: 'Max', inputs: [`${to}_rounded`, `${to}_zero`], outputs: [`${to}_positive`] },
    { op: 'Div', inputs: [`${to}_positive`, `${to}_divisors`], outputs: [`${to}_shifted`] },
    { op: 'Min', inputs: [`${to}_shifted`, `${to}_maximum`], outputs: [to] },
  );
}

/** A rank is at least r exactly when it is above r - 1/2, which floats hold. */
function overRanks(tree: Tree): FloatTree {
  if ('leaf' in tree) return tree;
  const { feature, rank, below, above } = tree;
  return { feature, threshold: rank - 0.5, below: overRanks(below), above: overRanks(above) };
}

function trees(graph: Graph, operation: Extract<Operation, { kind: 'trees' }>, to: string): void {
  const scores = operation.biases.length;
  graph.initializers.push(int32s(`${to}_biases`, [scores], operation.biases));
  graph.nodes.push(
    { op: 'Cast', inputs: [valueName(operation.of)], outputs: [`${to}_ranks`], attributes: { to: 1 } },
    treeEnsemble(operation.trees.map(overRanks), scores, 'NONE', { input: `${to}_ranks`, output: `${to}_sums` }),
    { op: 'Cast', inputs: [`${to}_sums`], outputs: [`${to}_whole`], attributes: { to: 6 } },
    { op: 'Add', inputs: [`${to}_whole`, `${to}_biases`], outputs: [to] },
  );
}

function firstMax(graph: Graph, of: number, to: string): void {
  graph.nodes.push(
    {
      op: 'ArgMax',
      inputs: [valueName(of)],
      outputs: [`${to}_index`],
      attributes: { axis: 1, keepdims: 1, select_last_index: 0 },
    },
    { op: 'Cast', inputs: [`${to}_index`], outputs: [to], attributes: { to: 6 } },
  );
}

function emit(graph: Graph, operation: Operation, to: string): void {
  if (isLinear(operation)) {
    emitLinear(graph, operation, to);
    return;
  }
  switch (operation.kind) {
    case 'window-max':
      return pool(graph, operation, to);
    case 'requantise':
      return requantise(graph, operation, to);
    case 'trees':
      return trees(graph, operation, to);
    case 'first-max':
      return firstMax(graph, operation.of, to);
    case 'concatenate':
      graph.nodes.push({ op: 'Concat', inputs: operation.of.map(valueName), outputs: [to], attributes: { axis: 1 } });
  }
}

/**
 * The file's bytes: one input of unsigned integers [1, n], one output of int32 [1, m]. The same program gives the same bytes.
 * @throws `STUN_MODEL_BOUNDS` when the arithmetic of a kernel could be inexact
 */
export function integerOnnx(program: IntegerProgram): Uint8Array<ArrayBuffer> {
  const bounds = programBounds(program);
  const { input, operations, outputName } = program;
  const graph: Graph = { nodes: [], initializers: [] };
  graph.nodes.push({ op: 'Cast', inputs: [input.name], outputs: [valueName(0)], attributes: { to: 6 } });
  for (const [i, operation] of operations.entries())
    emit(graph, operation, i === operations.length - 1 ? outputName : valueName(i + 1));
  return writeOnnx({
    name: 'integer-program',
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: input.name, type: input.bytesPerElement === 1 ? 'uint8' : 'uint16', dims: [1, input.maxima.length] }],
    outputs: [{ name: outputName, type: 'int32', dims: [1, bounds.at(-1)!.length] }],
  });
}
