/** What is known of a graph while its nodes are followed: which value a name stands for, and in which shape. */
import type { Constant, OnnxModel, OnnxNode } from '../onnx/read-onnx.ts';
import { refuseNode } from './attributes.ts';
import type { Builder } from './builder.ts';
import type { ClassLabel, SourceOutput } from './float-model.ts';

/** A value that was made. */
export interface Known {
  /** Its number in the builder. */
  readonly value: number;
  /** Dimensions after the first, which counts rows. */
  readonly shape: readonly number[];
  /** Set once the order of scores is all that counts: nothing may be computed from what it holds. */
  readonly ended: SourceOutput['holds'] | null;
}

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** The graph so far. */
export class Graph {
  readonly model: OnnxModel;
  readonly builder: Builder;
  readonly known = new Map<string, Known>();
  /** Of a classifier that names its classes. */
  classLabels: readonly ClassLabel[] = [];

  constructor(model: OnnxModel, builder: Builder) {
    this.model = model;
    this.builder = builder;
  }

  /** A value that a node reads, whatever became of it. */
  any(node: OnnxNode, place = 0): Known {
    const name = node.inputs[place] ?? '';
    return this.known.get(name) ?? refuseNode(node, `input ${place} must be a value of the graph, not a constant`);
  }

  /** A value that a node computes with. */
  read(node: OnnxNode, place = 0): Known {
    const known = this.any(node, place);
    if (known.ended !== null) refuseNode(node, 'nothing may follow a sigmoid, softmax or ArgMax');
    return known;
  }

  /** A vector that a node computes with: dimensions of 1 aside. */
  readVector(node: OnnxNode): Known {
    const known = this.read(node);
    const width = sizeOf(known.shape);
    if (known.shape.at(-1) !== width) refuseNode(node, `it must read a vector, not [${known.shape.join(', ')}]`);
    return known;
  }

  /** A constant that a node reads. */
  constant(node: OnnxNode, place: number): Constant {
    const name = node.inputs[place] ?? '';
    return this.model.constants.get(name) ?? refuseNode(node, `input ${place} must be a constant`);
  }

  /** Names what a node made. */
  define(node: OnnxNode, value: number, shape: readonly number[], ended: Known['ended'] = null): void {
    const name = node.outputs[0] ?? refuseNode(node, 'it gives nothing');
    this.known.set(name, { value, shape, ended });
  }
}
