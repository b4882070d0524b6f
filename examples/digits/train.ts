/**
 * Trains two classifiers of handwritten digits and writes digits-mlp.onnx, digits-cnn.onnx and report.json beside itself, in about five
 * minutes of one core. `node examples/digits/train.ts` writes; with `--check` it trains again and compares with the committed files.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { floats, writeOnnx, type Attribute, type Initializer, type Node } from '#circuits/model/onnx/write-onnx.ts';
import { SeededRandom } from '../credit-model/random.ts';
import { loadDigits, PIXELS, SIDE } from './data.ts';
import { judge, WEIGHT_BITS } from './judge.ts';
import { averagePool, convolution, dense, rectifier, train, type Layer, type TrainingOptions } from './network.ts';

const shared = { batchSize: 32, learningRate: 0.002, weightDecay: 0.01, movedPixels: 1, seed: 5 } as const;

/** A layer, and how ONNX says it. */
interface Step {
  readonly layer: Layer;
  readonly op: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Dimensions of the weights. */
  readonly dims?: readonly number[];
}

const reluStep = (): Step => ({ op: 'Relu', layer: rectifier() });
const denseStep = (random: SeededRandom, inputs: number, outputs: number): Step => ({
  op: 'Gemm',
  layer: dense(random, inputs, outputs),
  dims: [inputs, outputs],
});
const convolutionStep = (random: SeededRandom, inChannels: number, outChannels: number, side: number): Step => ({
  op: 'Conv',
  layer: convolution(random, { inChannels, outChannels, side, kernel: 5 }),
  dims: [outChannels, inChannels, 5, 5],
});
const poolStep = (channels: number, side: number): Step => ({
  op: 'AveragePool',
  layer: averagePool(channels, side),
  attributes: { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } },
});

interface Example {
  readonly name: 'digits-mlp' | 'digits-cnn';
  readonly input: readonly number[];
  readonly options: TrainingOptions;
  readonly steps: (random: SeededRandom) => readonly Step[];
}

const examples: readonly Example[] = [
  {
    name: 'digits-mlp',
    input: [SIDE, SIDE],
    options: { ...shared, epochs: 25 },
    steps: (random) => [denseStep(random, PIXELS, 128), reluStep(), denseStep(random, 128, 10)],
  },
  {
    // LeNet's sizes, with the mean of four taken before the activation: a quarter of the activations to prove.
    name: 'digits-cnn',
    input: [1, SIDE, SIDE],
    options: { ...shared, epochs: 12 },
    steps: (random) => [
      convolutionStep(random, 1, 6, 28),
      poolStep(6, 24),
      reluStep(),
      convolutionStep(random, 6, 16, 12),
      poolStep(16, 8),
      reluStep(),
      denseStep(random, 256, 120),
      reluStep(),
      denseStep(random, 120, 84),
      reluStep(),
      denseStep(random, 84, 10),
    ],
  },
];

function modelBytes({ name, input }: Example, steps: readonly Step[]): Uint8Array {
  const nodes: Node[] = [];
  const initializers: Initializer[] = [];
  let running = 'image';
  const add = (op: string, constants: readonly string[], attributes: Step['attributes'] = {}): void => {
    const output = `value_${nodes.length}`;
    nodes.push({ op, inputs: [running, ...constants], outputs: [output], attributes });
    running = output;
  };
  let flat = false;
  for (const [i, { op, layer, dims, attributes }] of steps.entries()) {
    if (op === 'Gemm' && !flat) add('Flatten', []);
    flat ||= op === 'Gemm';
    const [weights, biases] = layer.parameters;
    if (dims !== undefined)
      initializers.push(
        floats(`weights_${i}`, dims, [...weights!.values]),
        floats(`biases_${i}`, [biases!.values.length], [...biases!.values]),
      );
    add(op, dims === undefined ? [] : [`weights_${i}`, `biases_${i}`], attributes);
  }
  nodes.push({ op: 'Softmax', inputs: [running], outputs: ['probabilities'] });
  return writeOnnx({
    name,
    nodes,
    initializers,
    inputs: [{ name: 'image', type: 'float32', dims: ['rows', ...input] }],
    outputs: [{ name: 'probabilities', type: 'float32', dims: ['rows', 10] }],
  });
}

/** All files by name. The same on every run. */
function trainDigits(): Map<string, Uint8Array> {
  const { training, unseen } = loadDigits();
  const files = new Map<string, Uint8Array>();
  const report: Record<string, unknown> = { trainingRows: training.length, unseenRows: unseen.length };
  for (const example of examples) {
    const steps = example.steps(new SeededRandom(7));
    train(
      steps.map(({ layer }) => layer),
      training,
      example.options,
    );
    const bytes = modelBytes(example, steps);
    files.set(`${example.name}.onnx`, bytes);
    const { floatModel, compiledModel, disagreements, calibrationRows } = judge(bytes, training, unseen);
    report[example.name] = {
      accuracyUnseen: floatModel,
      accuracyUnseenCompiled: compiledModel,
      rowsWhereTheyDisagree: disagreements.length,
      calibrationRows,
      weightBits: WEIGHT_BITS,
      training: example.options,
      modelBytes: bytes.length,
    };
  }
  return files.set('report.json', new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  const stale: string[] = [];
  for (const [name, bytes] of trainDigits()) {
    const path = join(import.meta.dirname, name);
    if (!check) await writeFile(path, bytes);
    else if (!Buffer.from(bytes).equals(await readFile(path))) stale.push(name);
  }
  if (stale.length > 0) throw new Error(`stale: ${stale.join(', ')}; run node examples/digits/train.ts`);
  console.log(`3 files ${check ? 'are fresh' : 'written'}`);
}
