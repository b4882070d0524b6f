/** Feed-forward networks for classes, trained by gradient descent: dense layers, convolutions, average pooling, rectifiers. */
import { Adam } from '../credit-model/classifier.ts';
import { SeededRandom } from '../credit-model/random.ts';
import { moved, type Digit } from './data.ts';

/** A step of a network. `backward` adds to its gradients and returns those of what it read; it follows a `forward` of the same row. */
export interface Layer {
  readonly parameters: readonly { readonly values: Float64Array; readonly gradient: Float64Array; readonly decays: boolean }[];
  forward(input: Float64Array): Float64Array;
  backward(down: Float64Array): Float64Array;
}

function parametersOf(weights: Float64Array, biases: Float64Array): Layer['parameters'] {
  return [
    { values: weights, gradient: new Float64Array(weights.length), decays: true },
    { values: biases, gradient: new Float64Array(biases.length), decays: false },
  ];
}

function normals(random: SeededRandom, count: number, fanIn: number): Float64Array {
  return Float64Array.from({ length: count }, () => Math.sqrt(2 / fanIn) * random.normal());
}

/** y = W·x + b; `weights` is row-major [inputs × outputs], as ONNX Gemm takes it. */
export function dense(random: SeededRandom, inputs: number, outputs: number): Layer {
  const weights = normals(random, inputs * outputs, inputs);
  const biases = new Float64Array(outputs);
  const parameters = parametersOf(weights, biases);
  let before: Float64Array = new Float64Array();
  return {
    parameters,
    forward(input) {
      before = input;
      const after = Float64Array.from(biases);
      for (let i = 0; i < inputs; i++) {
        const value = input[i]!;
        if (value === 0) continue;
        for (let o = 0; o < outputs; o++) after[o]! += value * weights[i * outputs + o]!;
      }
      return after;
    },
    backward(down) {
      const [{ gradient }, { gradient: biasGradient }] = parameters as [(typeof parameters)[0], (typeof parameters)[0]];
      const up = new Float64Array(inputs);
      for (let o = 0; o < outputs; o++) biasGradient[o]! += down[o]!;
      for (let i = 0; i < inputs; i++) {
        const value = before[i]!;
        let sum = 0;
        for (let o = 0; o < outputs; o++) {
          sum += weights[i * outputs + o]! * down[o]!;
          if (value !== 0) gradient[i * outputs + o]! += value * down[o]!;
        }
        up[i] = sum;
      }
      return up;
    },
  };
}

/** Shape of a square convolution without padding. */
export interface ConvolutionShape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Rows and columns of what it reads. */
  readonly side: number;
  readonly kernel: number;
}

/** Convolution; `weights` is [outChannels, inChannels, kernel, kernel], as ONNX Conv takes it. */
export function convolution(random: SeededRandom, shape: ConvolutionShape): Layer {
  const { inChannels, outChannels, side, kernel } = shape;
  const after = side - kernel + 1;
  const taps = inChannels * kernel * kernel;
  const weights = normals(random, outChannels * taps, taps);
  const biases = new Float64Array(outChannels);
  const parameters = parametersOf(weights, biases);
  let before: Float64Array = new Float64Array();
  /** Calls with the first input and first output of each run of `after` products, and the weight they share. */
  const runs = (visit: (weight: number, from: number, to: number) => void): void => {
    for (let o = 0; o < outChannels; o++)
      for (let tap = 0; tap < taps; tap++) {
        const [c, i, j] = [Math.floor(tap / kernel ** 2), Math.floor(tap / kernel) % kernel, tap % kernel];
        for (let row = 0; row < after; row++) visit(o * taps + tap, (c * side + row + i) * side + j, (o * after + row) * after);
      }
  };
  return {
    parameters,
    forward(input) {
      before = input;
      const out = new Float64Array(outChannels * after * after);
      for (let o = 0; o < outChannels; o++) out.fill(biases[o]!, o * after * after, (o + 1) * after * after);
      runs((weight, from, to) => {
        const factor = weights[weight]!;
        for (let k = 0; k < after; k++) out[to + k]! += factor * input[from + k]!;
      });
      return out;
    },
    backward(down) {
      const [{ gradient }, { gradient: biasGradient }] = parameters as [(typeof parameters)[0], (typeof parameters)[0]];
      const up = new Float64Array(before.length);
      for (let i = 0; i < down.length; i++) biasGradient[Math.floor(i / (after * after))]! += down[i]!;
      runs((weight, from, to) => {
        const factor = weights[weight]!;
        let sum = 0;
        for (let k = 0; k < after; k++) {
          const slope = down[to + k]!;
          sum += slope * before[from + k]!;
          up[from + k]! += factor * slope;
        }
        gradient[weight]! += sum;
      });
      return up;
    },
  };
}

/** Means of two by two values. @param side - rows and columns of what it reads, even */
export function averagePool(channels: number, side: number): Layer {
  const half = side / 2;
  const cell = (i: number): number => {
    const [c, row, column] = [Math.floor(i / half ** 2), Math.floor(i / half) % half, i % half];
    return (c * side + 2 * row) * side + 2 * column;
  };
  return {
    parameters: [],
    forward: (input) =>
      Float64Array.from({ length: channels * half * half }, (_, i) => {
        const at = cell(i);
        return (input[at]! + input[at + 1]! + input[at + side]! + input[at + side + 1]!) / 4;
      }),
    backward(down) {
      const up = new Float64Array(channels * side * side);
      for (const [i, slope] of down.entries()) for (const step of [0, 1, side, side + 1]) up[cell(i) + step] = slope / 4;
      return up;
    },
  };
}

/** max(x, 0). */
export function rectifier(): Layer {
  let before: Float64Array = new Float64Array();
  return {
    parameters: [],
    forward: (input) => (before = input).map((value) => Math.max(0, value)),
    backward: (down) => down.map((slope, i) => (before[i]! > 0 ? slope : 0)),
  };
}

/** Scores of a row, one for each class. */
export function scoresOf(layers: readonly Layer[], pixels: Float64Array): Float64Array {
  return layers.reduce((value, layer) => layer.forward(value), pixels);
}

/** One row forth and back under cross-entropy of the softmax. */
function learn(layers: readonly Layer[], pixels: Float64Array, label: number): void {
  const scores = scoresOf(layers, pixels);
  const greatest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - greatest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  let slope: Float64Array = powers.map((power, i) => power / total - (i === label ? 1 : 0));
  for (const layer of layers.toReversed()) slope = layer.backward(slope);
}

/** How long and how fast is learned. */
export interface TrainingOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Every image is moved by up to so many pixels in both directions, anew in each epoch. */
  readonly movedPixels: number;
  readonly seed: number;
}

/** Trains in place, then rounds all parameters to float32. The same rows and options give the same network under one version of V8. */
export function train(layers: readonly Layer[], rows: readonly Digit[], options: TrainingOptions): void {
  const random = new SeededRandom(options.seed);
  const parameters = layers.flatMap((layer) => layer.parameters.map((one) => ({ ...one, adam: new Adam(one.values.length) })));
  const order = Uint32Array.from(rows, (_, i) => i);
  const { epochs, batchSize, movedPixels } = options;
  const move = (): number => random.integer(2 * movedPixels + 1) - movedPixels;
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    const rate = options.learningRate * (1 - (0.95 * epoch) / epochs);
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.subarray(start, start + batchSize);
      for (const i of batch) learn(layers, moved(rows[i]!.pixels, move(), move()), rows[i]!.label);
      for (const { values, gradient, decays, adam } of parameters)
        adam.apply(values, gradient, rate, decays ? options.weightDecay : 0, batch.length);
    }
  }
  for (const { values } of parameters) for (const [i, value] of values.entries()) values[i] = Math.fround(value);
}
