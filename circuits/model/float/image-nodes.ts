/** Nodes over channels of rows and columns: Conv and pooling in two dimensions. */
import { MAX_PRODUCTS, MAX_WIDTH } from '../limits.ts';
import { slidSize, windowsOf, type Sliding } from '../sliding.ts';
import type { OnnxNode } from '../onnx/read-onnx.ts';
import { numberAttribute, numbersAttribute, refuseNode, textAttribute } from './attributes.ts';
import { sizeOf, type Graph, type Known } from './graph.ts';

type Pair = readonly [number, number];

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;

function pair(node: OnnxNode, name: string, fallback: number): Pair {
  const values = numbersAttribute(node, name);
  if (values.length === 0) return [fallback, fallback];
  if (values.length !== 2 || values.some((value) => !isCount(value) || value === 0))
    refuseNode(node, `attribute ${name} must be two whole numbers above 0`);
  return [values[0]!, values[1]!];
}

/** Padding by `auto_pad`: SAME makes as many outputs as strides fit into the input, the odd one of the padding goes where the name says. */
function padsOf(node: OnnxNode, extents: Pair, kernel: Pair, strides: Pair, dilations: Pair): Sliding['pads'] {
  const mode = textAttribute(node, 'auto_pad', 'NOTSET');
  const given = numbersAttribute(node, 'pads');
  if (mode === 'NOTSET' && given.length > 0) {
    if (given.length !== 4 || !given.every(isCount)) refuseNode(node, 'attribute pads must be four whole numbers');
    return [given[0]!, given[1]!, given[2]!, given[3]!];
  }
  if (mode === 'NOTSET' || mode === 'VALID') return [0, 0, 0, 0];
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') refuseNode(node, `auto_pad ${mode} is not compiled`);
  const [[top, bottom], [left, right]] = ([0, 1] as const).map((axis): Pair => {
    const outputs = Math.ceil(extents[axis] / strides[axis]);
    const total = Math.max(0, (outputs - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - extents[axis]);
    const half = Math.floor(total / 2);
    return mode === 'SAME_UPPER' ? [half, total - half] : [total - half, half];
  }) as [Pair, Pair];
  return [top, left, bottom, right];
}

function readImage(graph: Graph, node: OnnxNode): Known {
  const known = graph.read(node);
  if (known.shape.length !== 3)
    refuseNode(
      node,
      `it must read channels of rows and columns, not [${known.shape.join(', ')}]; one and three dimensions are not compiled`,
    );
  return known;
}

function slidingOf(node: OnnxNode, { shape }: Known, kernel: Pair): Sliding {
  const [channels = 0, height = 0, width = 0] = shape;
  const [strides, dilations] = [pair(node, 'strides', 1), pair(node, 'dilations', 1)];
  if (numberAttribute(node, 'ceil_mode', 0) !== 0) refuseNode(node, 'ceil_mode is not compiled');
  const pads = padsOf(node, [height, width], kernel, strides, dilations);
  const sliding = { channels, height, width, kernel, strides, dilations, pads };
  const [rows, columns] = slidSize(sliding);
  if (rows < 1 || columns < 1) refuseNode(node, `its window of ${kernel.join(' by ')} is larger than what it slides over`);
  // Every window then has a tap inside, unless its dilation steps over all of them.
  if (pads.some((pad, i) => pad >= kernel[(i % 2) as 0 | 1] * dilations[(i % 2) as 0 | 1]))
    refuseNode(node, 'its padding is as wide as its window');
  const values = channels * rows * columns;
  if (values > MAX_WIDTH || values * kernel[0] * kernel[1] > MAX_PRODUCTS)
    refuseNode(node, `it takes more than ${MAX_PRODUCTS} products or gives more than ${MAX_WIDTH} values`);
  return sliding;
}

/** Conv. */
export function convolution(graph: Graph, node: OnnxNode): void {
  const known = readImage(graph, node);
  const { dims, values } = graph.constant(node, 1);
  const [outputs = 0, ofGroup = 0, rows = 0, columns = 0] = dims;
  if (dims.length !== 4) refuseNode(node, `its weights must have four dimensions, they have ${dims.length}`);
  const shape = numbersAttribute(node, 'kernel_shape');
  if (shape.length > 0 && (shape[0] !== rows || shape[1] !== columns)) refuseNode(node, 'kernel_shape differs from its weights');
  const groups = numberAttribute(node, 'group', 1);
  const sliding = slidingOf(node, known, [rows, columns]);
  if (!isCount(groups) || groups === 0 || ofGroup * groups !== sliding.channels || outputs % groups !== 0)
    refuseNode(node, `${outputs} kernels over ${ofGroup} channels in ${groups} groups for ${sliding.channels} channels`);
  const [height, width] = slidSize(sliding);
  const taps = ofGroup * rows * columns;
  if (outputs * height * width > MAX_WIDTH || outputs * height * width * taps > MAX_PRODUCTS)
    refuseNode(node, `it takes more than ${MAX_PRODUCTS} products or gives more than ${MAX_WIDTH} values`);
  const weights = Array.from({ length: outputs }, (_, o) => values.slice(o * taps, (o + 1) * taps));
  const biases = node.inputs[2] ? graph.constant(node, 2).values : new Array<number>(outputs).fill(0);
  if (biases.length !== outputs) refuseNode(node, `${biases.length} biases for ${outputs} kernels`);
  const padding = new Array<number>(sliding.channels).fill(0);
  const layer = { kind: 'convolve', of: known.value, sliding, groups, weights, biases, padding } as const;
  graph.define(node, graph.builder.convolve(layer, outputs * height * width), [outputs, height, width]);
}

/** AveragePool, MaxPool and their global forms. */
export function pooling(graph: Graph, node: OnnxNode): void {
  const known = readImage(graph, node);
  const [channels = 0, height = 0, width = 0] = known.shape;
  const global = node.op.startsWith('Global');
  if (!global && numbersAttribute(node, 'kernel_shape').length !== 2)
    refuseNode(node, 'attribute kernel_shape must be two whole numbers above 0');
  const kernel: Pair = global ? [height, width] : pair(node, 'kernel_shape', 1);
  const sliding = slidingOf(node, known, kernel);
  const shape = [channels, ...slidSize(sliding)];
  const { builder } = graph;
  if (node.op.endsWith('MaxPool')) {
    if (windowsOf(sliding).some(({ length }) => length === 0)) refuseNode(node, 'one of its windows lies in the padding whole');
    graph.define(node, builder.windowMax({ kind: 'window-max', of: known.value, sliding }, sizeOf(shape)), shape);
    return;
  }
  if (sliding.pads.some((pad) => pad > 0) && numberAttribute(node, 'count_include_pad', 0) !== 1)
    refuseNode(node, 'averages over padding are compiled with count_include_pad only');
  const sum = builder.push({ kind: 'window-sum', of: known.value, sliding }, sizeOf(shape));
  const factors = new Array<number>(sizeOf(shape)).fill(1 / (kernel[0] * kernel[1]));
  graph.define(node, builder.scale({ kind: 'scale', of: sum, factors, biases: factors.map(() => 0) }), shape);
}
