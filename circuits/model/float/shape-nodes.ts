/** Nodes that change shapes and compute nothing: Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Identity, Dropout, Cast. */
import type { OnnxNode } from '../onnx/read-onnx.ts';
import { numberAttribute, numbersAttribute, refuseNode } from './attributes.ts';
import { sizeOf, type Graph } from './graph.ts';

/** Element codes of float32 and float64, between which a cast changes nothing that is compiled. */
const FLOATS = new Set([1, 11]);

/** A list that newer operator sets take as a constant and older ones as an attribute. */
function listOf(graph: Graph, node: OnnxNode, name: string): readonly number[] {
  return node.inputs[1] ? graph.constant(node, 1).values : numbersAttribute(node, name);
}

/** Axes counted from the rows' own, which must not be among them. */
function axesOf(graph: Graph, node: OnnxNode, rank: number): number[] {
  const axes = listOf(graph, node, 'axes').map((axis) => (axis < 0 ? axis + rank : axis));
  return axes.every((axis) => axis >= 1 && axis < rank) ? axes : refuseNode(node, 'its axes are not compiled');
}

/** The dimensions after the rows' own. A size of 0 keeps a dimension, one of -1 takes what is left. */
function reshaped(graph: Graph, node: OnnxNode, shape: readonly number[]): number[] {
  const wanted = listOf(graph, node, 'shape');
  const size = sizeOf(shape);
  const [, ...rest] = wanted.map((dim, i) => (dim === 0 ? (i === 0 ? -1 : (shape[i - 1] ?? 0)) : dim));
  const filled = rest.map((dim) => (dim === -1 ? size / sizeOf(rest.filter((other) => other !== -1)) : dim));
  if (wanted.length < 2 || sizeOf(filled) !== size || filled.some((dim) => dim < 1 || !Number.isInteger(dim)))
    refuseNode(node, `a shape of [${wanted.join(', ')}] for rows of [${shape.join(', ')}]`);
  return filled;
}

/** Where each element of a transposed tensor stood. @param perm - of the dimensions after the rows' own, from 0 */
function transposedOrder(shape: readonly number[], perm: readonly number[]): number[] {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const after = perm.map((axis) => shape[axis]!);
  return Array.from({ length: sizeOf(shape) }, (_, at) => {
    let [rest, place] = [at, 0];
    for (let axis = after.length - 1; axis >= 0; axis--) {
      place += (rest % after[axis]!) * strides[perm[axis]!]!;
      rest = Math.floor(rest / after[axis]!);
    }
    return place;
  });
}

/** Transpose; rows stay rows. */
export function transpose(graph: Graph, node: OnnxNode): void {
  const { value, shape } = graph.read(node);
  const [rows, ...axes] = numbersAttribute(node, 'perm');
  const perm = axes.map((axis) => axis - 1);
  const sorted = perm.toSorted((a, b) => a - b);
  if (rows !== 0 || sorted.length !== shape.length || sorted.some((axis, i) => axis !== i))
    refuseNode(node, 'only orders that leave the rows first are compiled');
  const order = transposedOrder(shape, perm);
  graph.define(
    node,
    graph.builder.push({ kind: 'rearrange', of: value, order }, order.length),
    perm.map((axis) => shape[axis]!),
  );
}

/** What leaves the elements as they are. */
export function reshape(graph: Graph, node: OnnxNode): void {
  const { value, shape, ended } = graph.any(node);
  const to = (): readonly number[] => {
    switch (node.op) {
      case 'Flatten':
        return numberAttribute(node, 'axis', 1) === 1 ? [sizeOf(shape)] : refuseNode(node, 'only axis 1 is compiled');
      case 'Reshape':
        return ended === null ? reshaped(graph, node, shape) : shape;
      case 'Squeeze': {
        const axes = axesOf(graph, node, shape.length + 1);
        if (axes.length === 0 || axes.some((axis) => shape[axis - 1] !== 1)) refuseNode(node, 'it must name axes of 1');
        return shape.filter((_, i) => !axes.includes(i + 1));
      }
      case 'Unsqueeze': {
        const axes = axesOf(graph, node, shape.length + 1 + listOf(graph, node, 'axes').length);
        const wider = [...shape];
        for (const axis of axes.toSorted((a, b) => a - b)) wider.splice(axis - 1, 0, 1);
        return wider;
      }
      case 'Cast':
        if (ended === null && !FLOATS.has(numberAttribute(node, 'to', 0)))
          refuseNode(node, 'only casts between floats are compiled');
        return shape;
      default:
        return shape;
    }
  };
  graph.define(node, value, to(), ended);
}
