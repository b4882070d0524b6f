/**
 * Every operator that is compiled: the float model that was understood gives what onnxruntime gives for the file, the integer program comes
 * close to it, and its own ONNX file and circuit give the program's integers.
 */
import assert from 'node:assert/strict';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { violated, witnessOf } from '#circuits/model/constraints/witness.ts';
import { floatValues, type FloatTree } from '#circuits/model/float/float-model.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { treeEnsemble } from '#circuits/model/onnx/tree-ensemble.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import {
  floats,
  int64s,
  writeOnnx,
  type Attribute,
  type Graph,
  type Initializer,
  type Node,
} from '#circuits/model/onnx/write-onnx.ts';
import { integerOnnx } from '#circuits/model/program/integer-onnx.ts';
import { interpret } from '#circuits/model/program/interpret.ts';
import { programBytes } from '#circuits/model/program/program.ts';
import { readProgram } from '#circuits/model/program/read-program.ts';
import { quantise, realScores } from '#circuits/model/quantise/quantise.ts';
import { quantiseRow } from '#circuits/model/quantise/quantiser.ts';
import { assertSourceAgrees } from '#circuits/model/source-check.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';

const random = new SeededRandom(1204);
const CALIBRATION_ROWS = 64;
const WEIGHT_BITS = 12;
/** Of the greatest score: what these weights and 8-bit activations may cost in a small model. */
const TOLERANCE = 0.03;

const weights = (name: string, ...dims: readonly number[]): Initializer =>
  floats(
    name,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

/** A chain of nodes from x to y; what is between is named by place. */
function chain(
  input: readonly number[],
  steps: readonly (readonly [op: string, constants: readonly Initializer[], attributes?: Record<string, Attribute>])[],
): Graph {
  const nodes = steps.map(([op, constants, attributes = {}], i): Node => ({
    op,
    inputs: [i === 0 ? 'x' : `v${i}`, ...constants.map(({ name }) => name)],
    outputs: [i === steps.length - 1 ? 'y' : `v${i + 1}`],
    attributes,
    ...(op === 'Scaler' || op === 'LinearRegressor' ? { domain: 'ai.onnx.ml' } : {}),
  }));
  return {
    name: 'operators',
    nodes,
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', ...input] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['rows', 'scores'] }],
    initializers: steps.flatMap(([, constants]) => constants),
  };
}

const ints = (...values: readonly number[]): Attribute => ({ ints: values });
const gemm = (inputs: number, outputs: number): readonly ['Gemm', readonly Initializer[]] => {
  const name = `dense${random.integer(1e9)}`;
  return ['Gemm', [weights(name, inputs, outputs), weights(`${name}b`, outputs)]];
};
const flatten = ['Flatten', []] as const;
const relu = ['Relu', []] as const;
const positive = (name: string, count: number): Initializer =>
  floats(
    name,
    [count],
    Array.from({ length: count }, () => 0.2 + random.uniform()),
  );

const residual: Graph = (() => {
  const graph = chain(
    [2, 4, 4],
    [
      ['Conv', [weights('a', 3, 2, 3, 3), weights('ab', 3)], { pads: ints(1, 1, 1, 1) }],
      relu,
      ['Conv', [weights('c', 3, 3, 3, 3)], { pads: ints(1, 1, 1, 1) }],
      flatten,
      gemm(48, 2),
    ],
  );
  const [a, b, c, ...rest] = graph.nodes as [Node, Node, Node, ...Node[]];
  // relu(conv(relu(conv(x))) + relu(conv(x))), the value after the first rectifier read twice.
  const nodes: Node[] = [
    a,
    b,
    { ...c, outputs: ['branch'] },
    { op: 'Add', inputs: ['branch', 'v2'], outputs: ['sum'] },
    { op: 'Relu', inputs: ['sum'], outputs: ['v3'] },
    ...rest,
  ];
  return { ...graph, nodes };
})();

const tree = (): FloatTree => {
  const leaf = (): FloatTree => ({ leaf: [random.uniform(), random.uniform(), random.uniform()] });
  const split = (below: FloatTree, above: FloatTree): FloatTree => ({
    feature: random.integer(4),
    threshold: Math.fround(random.normal()),
    below,
    above,
  });
  return split(split(leaf(), leaf()), leaf());
};

/** A forest of three classes, written as ONNX has them for classes and for values. */
function forest(op: 'TreeEnsembleClassifier' | 'TreeEnsembleRegressor', aggregate: 'SUM' | 'AVERAGE'): Graph {
  const written = treeEnsemble([tree(), tree(), tree()], 3, 'NONE', { input: 'x', output: 'y' });
  const lists = Object.entries(written.attributes!);
  const classes = lists
    .filter(([name]) => name !== 'aggregate_function' && name !== 'n_targets')
    .map(([name, value]) => [name.replace('target_', 'class_'), value] as const);
  const regressor = { ...written, attributes: { ...written.attributes, aggregate_function: aggregate } };
  const classifier = {
    ...written,
    op,
    outputs: ['label', 'y'],
    attributes: { ...Object.fromEntries(classes), classlabels_int64s: ints(0, 1, 2) },
  };
  return { ...chain([4], []), nodes: [op === 'TreeEnsembleRegressor' ? regressor : classifier] };
}

/** Classes 3, 1 and 2, of which the scores alone are an output of the graph. */
function classifierBehind(post_transform: 'NONE' | 'SOFTMAX'): Graph {
  const graph = chain([4], [gemm(4, 6), relu, ['LinearClassifier', []]]);
  const numbers = (count: number): Attribute => ({ floats: Array.from({ length: count }, () => random.normal()) });
  const attributes = { coefficients: numbers(18), intercepts: numbers(3), classlabels_ints: ints(3, 1, 2), post_transform };
  const nodes = graph.nodes.map((node): Node =>
    node.op === 'LinearClassifier' ? { ...node, domain: 'ai.onnx.ml', outputs: ['label', 'y'], attributes } : node,
  );
  return { ...graph, nodes };
}

const models: readonly (readonly [name: string, graph: Graph])[] = [
  [
    'Conv with strides, padding, dilations and groups',
    chain(
      [4, 6, 5],
      [
        [
          'Conv',
          [weights('k', 6, 2, 3, 2), weights('kb', 6)],
          { strides: ints(2, 1), dilations: ints(1, 2), pads: ints(1, 0, 2, 1), group: 2 },
        ],
        relu,
        flatten,
        gemm(6 * 4 * 4, 3),
      ],
    ),
  ],
  [
    'Conv with auto_pad, on inputs below and above zero, then Clip',
    chain(
      [1, 5, 5],
      [
        ['Conv', [weights('k', 3, 1, 2, 2), weights('kb', 3)], { auto_pad: 'SAME_UPPER', strides: ints(2, 2) }],
        ['Clip', [floats('low', [], [0]), floats('high', [], [1.5])]],
        ['Reshape', [int64s('shape', [2], [0, -1])]],
        gemm(27, 2),
      ],
    ),
  ],
  [
    'BatchNormalization after Conv and a scaling before it',
    chain(
      [2, 4, 4],
      [
        ['Sub', [weights('mean', 2, 1, 1)]],
        ['Div', [floats('deviation', [2, 1, 1], [0.5, 2])]],
        ['Conv', [weights('k', 3, 2, 3, 3)], { pads: ints(1, 1, 1, 1) }],
        ['BatchNormalization', [weights('s', 3), weights('sb', 3), weights('m', 3), positive('v', 3)]],
        relu,
        ['GlobalAveragePool', []],
        flatten,
        gemm(3, 2),
      ],
    ),
  ],
  [
    'AveragePool before the activation, BatchNormalization behind it',
    chain(
      [1, 6, 6],
      [
        ['Conv', [weights('k', 3, 1, 3, 3), weights('kb', 3)]],
        ['AveragePool', [], { kernel_shape: ints(2, 2), strides: ints(2, 2) }],
        ['BatchNormalization', [weights('s', 3), weights('sb', 3), weights('m', 3), positive('v', 3)]],
        relu,
        flatten,
        gemm(12, 3),
      ],
    ),
  ],
  [
    'AveragePool after the activation, over padding',
    chain(
      [1, 6, 6],
      [
        ['Conv', [weights('k', 2, 1, 3, 3), weights('kb', 2)]],
        relu,
        ['AveragePool', [], { kernel_shape: ints(2, 2), strides: ints(2, 2), pads: ints(1, 1, 1, 1), count_include_pad: 1 }],
        flatten,
        gemm(18, 3),
      ],
    ),
  ],
  [
    'MaxPool after the activation, over padding',
    chain(
      [1, 6, 6],
      [
        ['Conv', [weights('k', 2, 1, 3, 3), weights('kb', 2)]],
        relu,
        ['MaxPool', [], { kernel_shape: ints(2, 2), strides: ints(2, 2), pads: ints(1, 0, 0, 1) }],
        flatten,
        gemm(8, 3),
      ],
    ),
  ],
  [
    'Transpose from rows, columns, channels',
    chain(
      [3, 3, 2],
      [
        ['Transpose', [], { perm: ints(0, 3, 1, 2) }],
        ['Conv', [weights('k', 2, 2, 2, 2), weights('kb', 2)]],
        ['Transpose', [], { perm: ints(0, 2, 3, 1) }],
        relu,
        ['Flatten', []],
        gemm(8, 2),
      ],
    ),
  ],
  ['Add of two branches', residual],
  ['a forest of classes', forest('TreeEnsembleClassifier', 'SUM')],
  ['a forest whose leaves are averaged', forest('TreeEnsembleRegressor', 'AVERAGE')],
  [
    'GlobalMaxPool after the activation, Dropout and Cast that change nothing, scores as doubles',
    {
      ...chain(
        [2, 4, 4],
        [
          ['Cast', [], { to: 1 }],
          ['Conv', [weights('k', 5, 2, 2, 2), weights('kb', 5)]],
          relu,
          ['GlobalMaxPool', []],
          ['Dropout', []],
          flatten,
          gemm(5, 3),
          ['Cast', [], { to: 11 }],
        ],
      ),
      outputs: [{ name: 'y', type: 'float64', dims: ['rows', 3] }],
    },
  ],
  [
    'ArgMax behind dense layers',
    {
      ...chain([6], [gemm(6, 8), relu, gemm(8, 4), ['ArgMax', [], { axis: 1 }]]),
      outputs: [{ name: 'y', type: 'int64', dims: ['rows', 1] }],
    },
  ],
  [
    'ArgMax of a Softmax, cast to a float',
    chain([5], [gemm(5, 4), ['Softmax', []], ['ArgMax', [], { axis: -1 }], ['Cast', [], { to: 1 }]]),
  ],
  ['LinearClassifier behind a dense layer', classifierBehind('NONE')],
  ['LinearClassifier with a softmax', classifierBehind('SOFTMAX')],
  [
    'Scaler, dense layers without an activation between, LinearRegressor',
    chain(
      [5],
      [
        ['Scaler', [], { offset: { floats: [1, 0, -1, 0.5, 2] }, scale: { floats: [2, 1, 0.5, 1, 3] } }],
        ['MatMul', [weights('w', 5, 6)]],
        ['Mul', [floats('half', [], [0.5])]],
        gemm(6, 4),
        relu,
        ['Unsqueeze', [int64s('axes', [1], [1])]],
        ['Squeeze', [int64s('axes2', [1], [1])]],
        [
          'LinearRegressor',
          [],
          { coefficients: { floats: [1, -2, 0.5, 1, 0.3, 0.2, -1, 1] }, intercepts: { floats: [0.5, 1] }, targets: 2 },
        ],
      ],
    ),
  ],
];

describe('operators of compiled models', function () {
  this.timeout(120_000);

  for (const [name, graph] of models) {
    it(name, async () => {
      const bytes = writeOnnx(graph);
      const float = understand(readOnnx(bytes));
      const rows = Array.from({ length: CALIBRATION_ROWS }, () =>
        Array.from({ length: float.features }, () => Math.fround(random.normal())),
      );
      const runtime = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
      const quantised = quantise(float, rows, WEIGHT_BITS);
      const { program } = quantised;
      assert.deepEqual(readProgram(programBytes(program), 'STUN_MODEL_MANIFEST'), program, 'whoever reads the folder takes it');
      const integers = await InferenceSession.create(integerOnnx(program), { intraOpNumThreads: 1 });
      const system = synthesise(program);
      const all = rows.map((row) => floatValues(float, row).at(-1)!);
      const greatest = Math.max(...all.flat().map(Math.abs));
      let worst = 0;
      assert.ok((await assertSourceAgrees(bytes, float, null, rows)) >= rows.length);
      const scored = float.outputs[0]!.holds === 'scores';
      for (const [i, row] of rows.entries()) {
        const wanted = all[i]!;
        const given = (await runtime.run({ x: new Tensor('float32', Float32Array.from(row), [1, ...float.inputShape]) }))['y']!
          .data;
        for (const [k, score] of scored ? wanted.entries() : [])
          assert.ok(Math.abs(score - Number(given[k])) < 1e-4 * (1 + greatest), `row ${i}: ${score}, ${given[k]}`);
        const input = quantiseRow(quantised.quantisers, row);
        const output = interpret(program, input);
        for (const [k, score] of realScores(float, quantised, output).entries())
          worst = Math.max(worst, Math.abs(score - wanted[k]!) / greatest);
        const tensor = new Tensor('uint8', Uint8Array.from(input), [1, input.length]);
        assert.deepEqual([...((await integers.run({ x: tensor }))['scores']!.data as Int32Array)], output);
        if (i < 2) assert.deepEqual(violated(system, witnessOf(system, [...input.map(BigInt), 1n, 2n])), []);
      }
      assert.ok(worst < TOLERANCE, `the integer program is ${worst} of the greatest score away`);
      console.log(`      ${rows.length} rows, ${system.rows.length} constraints, at most ${(100 * worst).toFixed(1)} % away`);
    });
  }
});
