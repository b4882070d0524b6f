/** Class labels that are no class numbers, and the float model held to what onnxruntime gives for the file. */
import assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { fileRowOf, readCalibration } from '#circuits/model/calibration.ts';
import { classOf, floatValues, type FloatModel } from '#circuits/model/float/float-model.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { writeOnnx, type Attribute, type Node } from '#circuits/model/onnx/write-onnx.ts';
import { accuracyOf, quantise } from '#circuits/model/quantise/quantise.ts';
import { assertSourceAgrees } from '#circuits/model/source-check.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';

const FEATURES = 3;
const random = new SeededRandom(77);
const floats = (...values: readonly number[]): Attribute => ({ floats: values });
const ints = (...values: readonly number[]): Attribute => ({ ints: values });
const strings = (...values: readonly string[]): Attribute => ({ strings: values });

type Attributes = NonNullable<Node['attributes']>;

/** One classifier of `ai.onnx.ml` over three features. */
function classifier(op: string, attributes: Attributes): Uint8Array {
  return writeOnnx({
    name: 'classifier',
    nodes: [{ op, domain: 'ai.onnx.ml', inputs: ['x'], outputs: ['label', 'scores'], attributes }],
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', FEATURES] }],
    outputs: [
      { name: 'label', type: 'classlabels_strings' in attributes ? 'string' : 'int64', dims: ['rows'] },
      { name: 'scores', type: 'float32', dims: ['rows', 'classes'] },
    ],
  });
}

const linear = (scores: number, attributes: Attributes): Uint8Array =>
  classifier('LinearClassifier', {
    coefficients: floats(...Array.from({ length: scores * FEATURES }, () => random.normal())),
    intercepts: floats(...Array.from({ length: scores }, () => random.normal() / 4)),
    ...attributes,
  });

/** Stumps, one for each list of what its two leaves add: pairs of a score and a weight. */
function stumps(
  trees: readonly (readonly [below: readonly Leaf[], above: readonly Leaf[]])[],
  attributes: Attributes,
): Uint8Array {
  const each = <T>(of: (tree: number) => readonly T[]): T[] => trees.flatMap((_, tree) => of(tree));
  const leaves = trees.flatMap((sides, tree) =>
    sides.flatMap((side, i) => side.map(([id, weight]) => ({ tree, node: i + 1, id, weight }))),
  );
  return classifier('TreeEnsembleClassifier', {
    nodes_treeids: ints(...each((tree) => [tree, tree, tree])),
    nodes_nodeids: ints(...each(() => [0, 1, 2])),
    nodes_featureids: ints(...each((tree) => [tree % FEATURES, 0, 0])),
    nodes_modes: strings(...each(() => ['BRANCH_LEQ', 'LEAF', 'LEAF'])),
    nodes_truenodeids: ints(...each(() => [1, 0, 0])),
    nodes_falsenodeids: ints(...each(() => [2, 0, 0])),
    nodes_values: floats(...each((tree) => [tree / 8, 0, 0])),
    class_treeids: ints(...leaves.map(({ tree }) => tree)),
    class_nodeids: ints(...leaves.map(({ node }) => node)),
    class_ids: ints(...leaves.map(({ id }) => id)),
    class_weights: floats(...leaves.map(({ weight }) => weight)),
    ...attributes,
  });
}
type Leaf = readonly [score: number, weight: number];

const oneScore = (...weights: readonly (readonly [number, number])[]): (readonly [readonly Leaf[], readonly Leaf[]])[] =>
  weights.map(([below, above]) => [[[0, below]], [[0, above]]]);

const rows = Array.from({ length: 64 }, () => Array.from({ length: FEATURES }, () => Math.fround(random.normal())));

async function runtimeLabels(source: Uint8Array): Promise<string[]> {
  const session = await InferenceSession.create(source, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const labels: string[] = [];
  for (const row of rows) {
    const given = await session.run({ x: new Tensor('float32', Float32Array.from(row), [1, FEATURES]) }, ['label']);
    labels.push(String((given['label']!.data as ArrayLike<unknown>)[0]));
  }
  return labels;
}

const models: readonly (readonly [name: string, labels: readonly (number | string)[], source: Uint8Array])[] = [
  ['LinearClassifier, labels 1 2 3', [1, 2, 3], linear(3, { classlabels_ints: ints(1, 2, 3), post_transform: 'SOFTMAX' })],
  ['LinearClassifier, texts', ['low', 'mid', 'high'], linear(3, { classlabels_strings: strings('low', 'mid', 'high') })],
  ['LinearClassifier, one score', [7, -2], linear(1, { classlabels_ints: ints(7, -2), post_transform: 'LOGISTIC' })],
  ['LinearClassifier, one score as it is', ['no', 'yes'], linear(1, { classlabels_strings: strings('no', 'yes') })],
  [
    'TreeEnsembleClassifier, labels 1 2',
    [1, 2],
    stumps(oneScore([-0.5, 0.75], [0.25, -0.5], [-0.25, 0.5]), { classlabels_int64s: ints(1, 2), post_transform: 'LOGISTIC' }),
  ],
  [
    'TreeEnsembleClassifier, three texts',
    ['a', 'b', 'c'],
    stumps(
      [0, 1, 2].map((id) => [[[id, 0.25 - id / 8]], [[id, 0.5]]]),
      { classlabels_strings: strings('a', 'b', 'c'), post_transform: 'SOFTMAX' },
    ),
  ],
];

describe('class labels of compiled models', () => {
  for (const [name, labels, source] of models) {
    it('name held-out rows by their place in the file', () => {
      const features = Array.from({ length: 9 }, (_, i) => [10 * i, i]);
      const csv = `a,b\n${features.map((row) => row.join(',')).join('\n')}\n`;
      const { heldOut } = readCalibration(csv, { features: 2, classLabels: [] }, null);
      assert.deepEqual(
        heldOut.features,
        [0, 1, 2, 3].map((i) => features[fileRowOf(i)]),
      );
    });

    it(`${name}: accuracy is stated on the labels that onnxruntime gives`, async () => {
      const model = understand(readOnnx(source));
      assert.deepEqual(model.classLabels, labels);
      const given = await runtimeLabels(source);
      assert.ok(new Set(given).size > 1, 'more than one class is seen');
      // Every fourth label is made wrong, so that an accuracy of 1 would be as false as one of 0.
      const written = given.map((label, i) => (i % 4 === 1 ? String(labels.find((other) => String(other) !== label)) : label));
      const csv = ['a,b,c,label', ...rows.map((row, i) => `${row.join(',')},${written[i]!}`)].join('\n');
      const { calibration, heldOut } = readCalibration(csv, model, 'label');
      assert.ok((await assertSourceAgrees(source, model, null, heldOut.features)) >= heldOut.features.length);
      const { floatModel } = accuracyOf(model, quantise(model, calibration, 12), heldOut, calibration.length);
      assert.equal(floatModel, 0.5);
    });
  }

  it('refuses a label that is no class of the model, naming row and column', () => {
    const refused = (csv: string, classLabels: FloatModel['classLabels'], says: RegExp): void =>
      assert.throws(
        () => readCalibration(csv, { features: 1, classLabels }, 'y'),
        (thrown) => thrown instanceof StunError && thrown.code === 'STUN_MODEL_CALIBRATION' && says.test(thrown.message),
      );
    refused('x,y\n1,1\n1,0', [1, 2], /row 1, column y: 0 is no class of the model: 1, 2/);
    refused('x,y\n1,yes', [1, 2], /row 0, column y: expected a number/);
    refused('x,y\n1,Yes', ['no', 'yes'], /row 0, column y: Yes is no class/);
    refused('x,y\n1,', [], /row 0, column y: expected a number/);
  });

  const labelled = (attributes: Attributes): Uint8Array => linear(3, attributes);
  for (const [what, source] of [
    ['no labels', labelled({})],
    ['too few labels', labelled({ classlabels_ints: ints(1, 2) })],
    ['equal labels', labelled({ classlabels_strings: strings('a', 'b', 'a') })],
    ['labels of two kinds', labelled({ classlabels_ints: ints(1, 2, 3), classlabels_strings: strings('a', 'b', 'c') })],
    ['one label for one score', linear(1, { classlabels_ints: ints(1) })],
    ['a softmax of one score', linear(1, { classlabels_ints: ints(0, 1), post_transform: 'SOFTMAX' })],
  ] as const) {
    it(`refuses a classifier with ${what}`, () => throwsCode(() => understand(readOnnx(source)), 'STUN_MODEL_OPERATOR'));
  }
});

describe('ensembles of classes whose label onnxruntime does not take from the order of scores', () => {
  const two = { classlabels_int64s: ints(0, 1) };
  const positive = oneScore([0.1, 0.3], [0.2, 0.4], [0.05, 0.5]);
  const ambiguous: readonly (readonly [what: string, source: Uint8Array, asScoresSay: (scores: readonly number[]) => number])[] =
    [
      ...['LOGISTIC', 'NONE', 'SOFTMAX'].map(
        (post_transform) =>
          [
            `one score, no negative leaf, ${post_transform}`,
            stumps(positive, { ...two, base_values: floats(-0.6), post_transform }),
            ([, score]: readonly number[]) => Number(post_transform === 'LOGISTIC' ? score! > 0.5 : score! > 0),
          ] as const,
      ),
      [
        'a score for each of two classes',
        stumps(
          [
            [
              [
                [0, 0.7],
                [1, 0.3],
              ],
              [
                [0, 0.2],
                [1, 0.8],
              ],
            ],
          ],
          { ...two, post_transform: 'SOFTMAX' },
        ),
        (scores) => scores.indexOf(Math.max(...scores)),
      ],
      [
        'a class that only some leaves add to',
        stumps(
          [
            [
              [
                [0, -1],
                [1, -0.5],
              ],
              [[2, 1]],
            ],
          ],
          { classlabels_int64s: ints(0, 1, 2) },
        ),
        (scores) => scores.indexOf(Math.max(...scores)),
      ],
    ];

  for (const [what, source, asScoresSay] of ambiguous) {
    it(`${what}: refused, and onnxruntime's labels are indeed others than its scores say`, async () => {
      throwsCode(() => understand(readOnnx(source)), 'STUN_MODEL_OPERATOR');
      const session = await InferenceSession.create(source, { intraOpNumThreads: 1, logSeverityLevel: 4 });
      let others = 0;
      for (const row of rows) {
        const given = await session.run({ x: new Tensor('float32', Float32Array.from(row), [1, FEATURES]) });
        const scores = Array.from(given['scores']!.data as Float32Array);
        if (asScoresSay(scores) !== Number((given['label']!.data as BigInt64Array)[0])) others++;
      }
      assert.ok(others > 0);
      console.log(`      ${others} of ${rows.length} rows`);
    });
  }
});

describe('the float model, held to its file', () => {
  const source = models[0]![2];
  const model = understand(readOnnx(source));
  const [layer] = model.layers;
  assert.ok(layer?.kind === 'affine');
  const other = (biases: readonly number[]): FloatModel => ({ ...model, layers: [{ ...layer, biases }] });
  const misread: readonly (readonly [what: string, model: FloatModel])[] = [
    ['a bias that is a hundredth off', other(layer.biases.with(1, layer.biases[1]! + 0.01))],
    ['labels in another order', { ...model, classLabels: [2, 1, 3] }],
    ['labels counted from 0', { ...model, classLabels: [0, 1, 2] }],
    ['a sigmoid taken for a softmax', { ...model, outputs: [{ name: 'scores', holds: 'sigmoid' }] }],
    [
      'scores of another number',
      { ...model, layers: [{ ...layer, weights: layer.weights.slice(1), biases: layer.biases.slice(1) }] },
    ],
  ];

  for (const [what, wrong] of misread) {
    it(`refuses ${what}`, () => rejectsCode(assertSourceAgrees(source, wrong, null, rows), 'STUN_MODEL_MISREAD'));
  }

  it('takes the other of two classes whose scores are next to equal, and no more', async () => {
    const [row] = rows;
    const scores = floatValues(model, row!).at(-1)!;
    const [first] = scores.toSorted((a, b) => b - a);
    const second = scores.findIndex((score) => score !== first);
    const nearly = (gap: number): FloatModel => {
      const biases = layer.biases.with(second, layer.biases[second]! + first! - scores[second]! + gap);
      return { ...other(biases), outputs: [{ name: 'label', holds: 'label' }] };
    };
    assert.equal(classOf('classes', floatValues(nearly(1e-5), row!).at(-1)!), second, 'the winner is another');
    assert.equal(await assertSourceAgrees(source, nearly(1e-5), null, [row!]), 1);
    await rejectsCode(assertSourceAgrees(source, nearly(0.01), null, [row!]), 'STUN_MODEL_MISREAD');
  });

  it('asks an ensemble at its own splits when there are no rows, where a feature equals its threshold', async () => {
    const trees = models[4]![2];
    const ensemble = understand(readOnnx(trees));
    assert.equal(await assertSourceAgrees(trees, ensemble, null, []), 64);
    const [layers] = ensemble.layers;
    assert.ok(layers?.kind === 'ensemble');
    const inclusive: FloatModel = { ...ensemble, layers: [{ ...layers, inclusive: true }] };
    await rejectsCode(assertSourceAgrees(trees, inclusive, null, []), 'STUN_MODEL_MISREAD');
  });

  it('refuses a file that onnxruntime does not load', () =>
    rejectsCode(assertSourceAgrees(source.subarray(0, 40), model, null, rows), 'STUN_MODEL_MISREAD'));
});
