/** A small binary classifier by gradient descent: a multi-layer perceptron, or logistic regression when it has no hidden layer. */
import { SeededRandom } from './random.ts';

/** One dense layer: `weights` is row-major [inputs × outputs], as ONNX Gemm takes it. */
export interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

export interface TrainingOptions {
  readonly hidden: readonly number[];
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly seed: number;
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

function createLayers(sizes: readonly number[], random: SeededRandom): Layer[] {
  return sizes.slice(1).map((outputs, i) => {
    const inputs = sizes[i]!;
    const scale = Math.sqrt(2 / inputs);
    const weights = Float64Array.from({ length: inputs * outputs }, () => scale * random.normal());
    return { inputs, outputs, weights, biases: new Float64Array(outputs) };
  });
}

/** Activations of every layer, the input first; hidden layers after ReLU, the last one before the sigmoid. */
function forward(layers: readonly Layer[], input: Float64Array): Float64Array[] {
  const activations = [input];
  for (const [depth, layer] of layers.entries()) {
    const before = activations[depth]!;
    const after = Float64Array.from(layer.biases);
    for (let i = 0; i < layer.inputs; i++) {
      const value = before[i]!;
      if (value === 0) continue;
      const row = i * layer.outputs;
      for (let o = 0; o < layer.outputs; o++) after[o]! += value * layer.weights[row + o]!;
    }
    if (depth < layers.length - 1) for (let o = 0; o < after.length; o++) after[o] = Math.max(0, after[o]!);
    activations.push(after);
  }
  return activations;
}

/** The probability of class 1. */
export function predict(layers: readonly Layer[], input: Float64Array): number {
  return sigmoid(forward(layers, input).at(-1)![0]!);
}

/** Adds one sample's gradient of the cross-entropy to `gradients`. */
function backward(layers: readonly Layer[], gradients: readonly Layer[], input: Float64Array, label: number): void {
  const activations = forward(layers, input);
  let delta = Float64Array.of(sigmoid(activations.at(-1)![0]!) - label);
  for (let depth = layers.length - 1; depth >= 0; depth--) {
    const layer = layers[depth]!;
    const gradient = gradients[depth]!;
    const before = activations[depth]!;
    const down = new Float64Array(layer.inputs);
    for (let o = 0; o < layer.outputs; o++) gradient.biases[o]! += delta[o]!;
    for (let i = 0; i < layer.inputs; i++) {
      const row = i * layer.outputs;
      const value = before[i]!;
      if (depth > 0 && value <= 0) continue;
      let sum = 0;
      for (let o = 0; o < layer.outputs; o++) {
        gradient.weights[row + o]! += value * delta[o]!;
        sum += layer.weights[row + o]! * delta[o]!;
      }
      down[i] = sum;
    }
    delta = down;
  }
}

/** Adam (Kingma and Ba, 2015, algorithm 1) with weight decay on the weights. */
export class Adam {
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #step = 0;

  constructor(size: number) {
    this.#first = new Float64Array(size);
    this.#second = new Float64Array(size);
  }

  apply(values: Float64Array, gradient: Float64Array, rate: number, decay: number, batch: number): void {
    this.#step++;
    const correction = Math.sqrt(1 - 0.999 ** this.#step) / (1 - 0.9 ** this.#step);
    for (let i = 0; i < values.length; i++) {
      const slope = gradient[i]! / batch;
      const first = 0.9 * this.#first[i]! + 0.1 * slope;
      const second = 0.999 * this.#second[i]! + 0.001 * slope * slope;
      this.#first[i] = first;
      this.#second[i] = second;
      values[i]! -= rate * ((correction * first) / (Math.sqrt(second) + 1e-8) + decay * values[i]!);
      gradient[i] = 0;
    }
  }
}

/** Trains on standardised inputs. The same data and options give the same layers, bit for bit, under one version of V8. */
export function train(inputs: readonly Float64Array[], labels: readonly number[], options: TrainingOptions): Layer[] {
  const random = new SeededRandom(options.seed);
  const layers = createLayers([inputs[0]!.length, ...options.hidden, 1], random);
  const gradients = layers.map((layer) => ({
    ...layer,
    weights: new Float64Array(layer.weights.length),
    biases: new Float64Array(layer.outputs),
  }));
  const optimisers = layers.map((layer) => ({ weights: new Adam(layer.weights.length), biases: new Adam(layer.outputs) }));
  const order = Uint32Array.from(inputs, (_, i) => i);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    random.shuffle(order);
    // The rate falls linearly to a tenth, which settles the last epochs.
    const rate = options.learningRate * (1 - (0.9 * epoch) / options.epochs);
    for (let start = 0; start < order.length; start += options.batchSize) {
      const batch = order.subarray(start, start + options.batchSize);
      for (const i of batch) backward(layers, gradients, inputs[i]!, labels[i]!);
      for (const [depth, layer] of layers.entries()) {
        const gradient = gradients[depth]!;
        optimisers[depth]!.weights.apply(layer.weights, gradient.weights, rate, options.weightDecay, batch.length);
        optimisers[depth]!.biases.apply(layer.biases, gradient.biases, rate, 0, batch.length);
      }
    }
  }
  return layers;
}

/** Mean and standard deviation of each column. */
export function columnStatistics(rows: readonly (readonly number[])[]): { means: number[]; deviations: number[] } {
  const width = rows[0]!.length;
  const means = Array.from({ length: width }, (_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length);
  const deviations = means.map((mean, c) => Math.sqrt(rows.reduce((sum, row) => sum + (row[c]! - mean) ** 2, 0) / rows.length));
  return { means, deviations };
}

/** Folds the standardisation of the columns into the first layer and rounds all to float32, so that the model takes raw features. */
export function foldAndRound(layers: readonly Layer[], means: readonly number[], deviations: readonly number[]): Layer[] {
  return layers.map((layer, depth) => {
    const weights = Float64Array.from(layer.weights);
    const biases = Float64Array.from(layer.biases);
    if (depth === 0) {
      for (let i = 0; i < layer.inputs; i++) {
        for (let o = 0; o < layer.outputs; o++) {
          const folded = weights[i * layer.outputs + o]! / deviations[i]!;
          weights[i * layer.outputs + o] = folded;
          biases[o]! -= folded * means[i]!;
        }
      }
    }
    return { ...layer, weights: weights.map(Math.fround), biases: biases.map(Math.fround) };
  });
}
