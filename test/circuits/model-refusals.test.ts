/** What the model compiler refuses: hostile files, operators that it does not know, rows that do not fit. One change, one exact code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCalibration } from '#circuits/model/calibration.ts';
import { compileModel } from '#circuits/model/compile.ts';
import { understand } from '#circuits/model/float/understand.ts';
import { readOnnx } from '#circuits/model/onnx/read-onnx.ts';
import { floats, int64s, writeOnnx, type Graph, type Initializer, type Node } from '#circuits/model/onnx/write-onnx.ts';
import { accuracyOf, quantise } from '#circuits/model/quantise/quantise.ts';
import { cutOffIn } from '#circuits/model/quantise/quantiser.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { depth, sampleSeed } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { SeededRandom } from '../../examples/credit-model/random.ts';

/** y = sigmoid(W·relu(x)), which compiles. */
const layer: Graph = {
  name: 'layer',
  nodes: [
    { op: 'Gemm', inputs: ['x', 'w', 'b'], outputs: ['y'] },
    { op: 'Sigmoid', inputs: ['y'], outputs: ['z'] },
  ],
  inputs: [{ name: 'x', type: 'float32', dims: ['rows', 2] }],
  outputs: [{ name: 'z', type: 'float32', dims: ['rows', 1] }],
  initializers: [floats('w', [2, 1], [1, -2]), floats('b', [1], [0.5])],
};

/** One split at 0.5 and two leaves, which compile. */
const stump = (changed: NonNullable<Node['attributes']> = {}): Graph => ({
  name: 'stump',
  nodes: [
    {
      op: 'TreeEnsembleRegressor',
      domain: 'ai.onnx.ml',
      inputs: ['x'],
      outputs: ['z'],
      attributes: {
        n_targets: 1,
        nodes_falsenodeids: { ints: [2, 0, 0] },
        nodes_featureids: { ints: [1, 0, 0] },
        nodes_modes: { strings: ['BRANCH_LEQ', 'LEAF', 'LEAF'] },
        nodes_nodeids: { ints: [0, 1, 2] },
        nodes_treeids: { ints: [0, 0, 0] },
        nodes_truenodeids: { ints: [1, 0, 0] },
        nodes_values: { floats: [0.5, 0, 0] },
        target_ids: { ints: [0, 0] },
        target_nodeids: { ints: [1, 2] },
        target_treeids: { ints: [0, 0] },
        target_weights: { floats: [-1, 1] },
        ...changed,
      },
    },
  ],
  inputs: layer.inputs,
  outputs: layer.outputs,
});

const withNodes = (...nodes: Node[]): Graph => ({ ...layer, nodes });
const withConstant = (constant: Initializer): Graph => ({ ...layer, initializers: [constant, layer.initializers![1]!] });
const between = (node: Node): Graph => withNodes(layer.nodes[0]!, node);

/** One node over channels of rows and columns; `k` is a kernel of two channels unless given. */
const image = (
  node: Node,
  dims: readonly number[],
  constant = floats('k', [1, 2, 2, 2], new Array<number>(8).fill(1)),
): Graph => ({
  name: 'image',
  nodes: [node],
  inputs: [{ name: 'x', type: 'float32', dims: ['rows', ...dims] }],
  outputs: layer.outputs,
  initializers: [constant],
});

function refuses(code: ErrorCode, says: RegExp, run: () => unknown): void {
  assert.throws(run, (thrown) => {
    assert.ok(thrown instanceof StunError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, says);
    return true;
  });
}

const graphs: readonly (readonly [what: string, code: ErrorCode, says: RegExp, graph: Graph])[] = [
  [
    'data in another file',
    'STUN_MODEL_FORMAT',
    /w keeps its data outside/,
    withConstant({ ...floats('w', [2, 1], []), externalFile: '/etc/passwd' }),
  ],
  ['a huge shape', 'STUN_MODEL_FORMAT', /w has more than/, withConstant(floats('w', [2 ** 14, 2 ** 14], []))],
  ['fewer elements than the shape', 'STUN_MODEL_FORMAT', /w should have 2 elements/, withConstant(floats('w', [2, 1], [1]))],
  [
    'a weight that is NaN',
    'STUN_MODEL_FORMAT',
    /element 1 of w is not finite/,
    withConstant(floats('w', [2, 1], [1, Number.NaN])),
  ],
  ['an infinite weight', 'STUN_MODEL_FORMAT', /element 0 of w/, withConstant(floats('w', [2, 1], [Number.POSITIVE_INFINITY, 1]))],
  [
    'a string constant',
    'STUN_MODEL_FORMAT',
    /elements of type 8/,
    withConstant({ name: 'w', type: 'string', dims: [1], data: new Uint8Array() }),
  ],
  [
    'a circle',
    'STUN_MODEL_FORMAT',
    /reads z before/,
    withNodes({ op: 'Add', inputs: ['x', 'z'], outputs: ['y'] }, layer.nodes[1]!),
  ],
  ['a name made twice', 'STUN_MODEL_FORMAT', /x is made twice/, between({ op: 'Relu', inputs: ['y'], outputs: ['x'] })],
  ['an output that nothing makes', 'STUN_MODEL_FORMAT', /nothing makes the output z/, withNodes(layer.nodes[0]!)],
  [
    'a subgraph',
    'STUN_MODEL_FORMAT',
    /subgraphs/,
    between({ op: 'If', inputs: ['y'], outputs: ['z'], attributes: { then_branch: { graph: layer } } }),
  ],
  [
    'an unknown operator',
    'STUN_MODEL_OPERATOR',
    /^Erf \(node 1 \(Erf\)\)/,
    between({ op: 'Erf', inputs: ['y'], outputs: ['z'] }),
  ],
  [
    'an operator of its own domain',
    'STUN_MODEL_OPERATOR',
    /operators of evil/,
    between({ op: 'Relu', domain: 'evil', inputs: ['y'], outputs: ['z'] }),
  ],
  [
    'a clip below zero',
    'STUN_MODEL_OPERATOR',
    /lower bound of 0/,
    between({ op: 'Clip', inputs: ['y'], outputs: ['z'], attributes: { min: { float: -1 } } }),
  ],
  [
    'a sum of values of two sizes',
    'STUN_MODEL_OPERATOR',
    /adds values of \[1\] and \[2\]/,
    between({ op: 'Add', inputs: ['y', 'x'], outputs: ['z'] }),
  ],
  [
    'a layer after the sigmoid',
    'STUN_MODEL_OPERATOR',
    /nothing may follow/,
    withNodes(
      ...layer.nodes.slice(0, 1),
      { op: 'Sigmoid', inputs: ['y'], outputs: ['s'] },
      { op: 'Add', inputs: ['s', 'b'], outputs: ['z'] },
    ),
  ],
  ['an integer input', 'STUN_MODEL_OPERATOR', /must be float32/, { ...layer, inputs: [{ ...layer.inputs[0]!, type: 'int32' }] }],
  [
    'two inputs',
    'STUN_MODEL_OPERATOR',
    /2 inputs/,
    { ...layer, inputs: [...layer.inputs, { name: 'x2', type: 'float32', dims: [1] }] },
  ],
  [
    'an input of unknown width',
    'STUN_MODEL_OPERATOR',
    /known dimensions/,
    { ...layer, inputs: [{ name: 'x', type: 'float32', dims: ['a', 'b'] }] },
  ],
  [
    'an input of more elements than are compiled',
    'STUN_MODEL_OPERATOR',
    /at most 1048576/,
    { ...layer, inputs: [{ ...layer.inputs[0]!, dims: ['rows', 2 ** 11, 2 ** 10] }] },
  ],
  [
    'an input of more elements than a number holds',
    'STUN_MODEL_FORMAT',
    /dimension of/,
    { ...layer, inputs: [{ ...layer.inputs[0]!, dims: ['rows', 2 ** 40] }] },
  ],
  ['a string input', 'STUN_MODEL_OPERATOR', /must be float32/, { ...layer, inputs: [{ ...layer.inputs[0]!, type: 'string' }] }],
  [
    'a loop',
    'STUN_MODEL_FORMAT',
    /subgraphs/,
    between({ op: 'Loop', inputs: ['y'], outputs: ['z'], attributes: { body: { graph: layer } } }),
  ],
  ['a recurrent layer', 'STUN_MODEL_OPERATOR', /^LSTM \(node 1/, between({ op: 'LSTM', inputs: ['y'], outputs: ['z'] })],
  ['a node that reads itself', 'STUN_MODEL_FORMAT', /reads z before/, between({ op: 'Relu', inputs: ['z'], outputs: ['z'] })],
  [
    'a sigmoid in the middle',
    'STUN_MODEL_OPERATOR',
    /^Gemm .*nothing may follow/,
    withNodes({ op: 'Sigmoid', inputs: ['x'], outputs: ['s'] }, { op: 'Gemm', inputs: ['s', 'w', 'b'], outputs: ['z'] }),
  ],
  [
    'the last of equal scores',
    'STUN_MODEL_OPERATOR',
    /first of equal/,
    between({ op: 'ArgMax', inputs: ['y'], outputs: ['z'], attributes: { axis: 1, select_last_index: 1 } }),
  ],
  [
    'the greatest of one score',
    'STUN_MODEL_OPERATOR',
    /^ArgMax .*always the same/,
    between({ op: 'ArgMax', inputs: ['y'], outputs: ['z'], attributes: { axis: 1 } }),
  ],
  [
    'a softmax of one score',
    'STUN_MODEL_OPERATOR',
    /^Softmax .*always the same/,
    between({ op: 'Softmax', inputs: ['y'], outputs: ['z'] }),
  ],
  [
    'a division by zero',
    'STUN_MODEL_OPERATOR',
    /^Div .*not finite/,
    { ...withNodes({ op: 'Div', inputs: ['x', 'zero'], outputs: ['z'] }), initializers: [floats('zero', [], [0])] },
  ],
  [
    'a cast to integers',
    'STUN_MODEL_OPERATOR',
    /casts between floats/,
    between({ op: 'Cast', inputs: ['y'], outputs: ['z'], attributes: { to: 6 } }),
  ],
  [
    'a model that ends with an activation',
    'STUN_MODEL_OPERATOR',
    /ends with a linear layer/,
    between({ op: 'Relu', inputs: ['y'], outputs: ['z'] }),
  ],
  [
    'a convolution of three dimensions',
    'STUN_MODEL_OPERATOR',
    /^Conv .*one and three dimensions/,
    image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'] }, [1, 4, 4, 4]),
  ],
  [
    'a kernel of other channels',
    'STUN_MODEL_OPERATOR',
    /^Conv .*for 3 channels/,
    image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'] }, [3, 4, 4]),
  ],
  [
    'a window larger than the image',
    'STUN_MODEL_OPERATOR',
    /^Conv .*larger than what it slides over/,
    image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'] }, [2, 1, 4]),
  ],
  [
    'padding as wide as the window',
    'STUN_MODEL_OPERATOR',
    /^Conv .*padding is as wide/,
    image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'], attributes: { pads: { ints: [2, 0, 0, 0] } } }, [2, 4, 4]),
  ],
  [
    'strides of zero',
    'STUN_MODEL_OPERATOR',
    /^Conv .*strides/,
    image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'], attributes: { strides: { ints: [0, 1] } } }, [2, 4, 4]),
  ],
  [
    'a convolution of too many products',
    'STUN_MODEL_OPERATOR',
    /^Conv .*products/,
    image(
      { op: 'Conv', inputs: ['x', 'k'], outputs: ['z'] },
      [2, 700, 700],
      floats('k', [9, 2, 2, 2], new Array<number>(72).fill(1)),
    ),
  ],
  [
    'an average over padding that does not count it',
    'STUN_MODEL_OPERATOR',
    /^AveragePool .*count_include_pad/,
    image(
      {
        op: 'AveragePool',
        inputs: ['x'],
        outputs: ['z'],
        attributes: { kernel_shape: { ints: [2, 2] }, pads: { ints: [1, 1, 0, 0] } },
      },
      [2, 4, 4],
    ),
  ],
  [
    'a pool of rounded-up size',
    'STUN_MODEL_OPERATOR',
    /^MaxPool .*ceil_mode/,
    image(
      { op: 'MaxPool', inputs: ['x'], outputs: ['z'], attributes: { kernel_shape: { ints: [2, 2] }, ceil_mode: 1 } },
      [2, 4, 4],
    ),
  ],
  [
    'a maximum of padding alone',
    'STUN_MODEL_OPERATOR',
    /^MaxPool .*in the padding whole/,
    image(
      {
        op: 'MaxPool',
        inputs: ['x'],
        outputs: ['z'],
        attributes: { kernel_shape: { ints: [2, 1] }, dilations: { ints: [5, 1] }, pads: { ints: [4, 0, 1, 0] } },
      },
      [2, 1, 4],
    ),
  ],
  [
    'a transpose of rows',
    'STUN_MODEL_OPERATOR',
    /^Transpose .*rows first/,
    image({ op: 'Transpose', inputs: ['x'], outputs: ['z'], attributes: { perm: { ints: [1, 0, 2, 3] } } }, [2, 4, 4]),
  ],
  [
    'a flattening of rows',
    'STUN_MODEL_OPERATOR',
    /^Flatten .*axis 1/,
    image({ op: 'Flatten', inputs: ['x'], outputs: ['z'], attributes: { axis: 2 } }, [2, 4, 4]),
  ],
  [
    'a shape of another size',
    'STUN_MODEL_OPERATOR',
    /^Reshape .*\[-1, 31\]/,
    image({ op: 'Reshape', inputs: ['x', 'k'], outputs: ['z'] }, [2, 4, 4], int64s('k', [2], [-1, 31])),
  ],
  ['a tree that goes in a circle', 'STUN_MODEL_OPERATOR', /in a circle/, stump({ nodes_truenodeids: { ints: [0, 0, 0] } })],
  [
    'a split on a feature that is not there',
    'STUN_MODEL_OPERATOR',
    /feature 2/,
    stump({ nodes_featureids: { ints: [2, 0, 0] } }),
  ],
  ['a branch to nowhere', 'STUN_MODEL_OPERATOR', /no node 9/, stump({ nodes_falsenodeids: { ints: [9, 0, 0] } })],
  ['a threshold that is NaN', 'STUN_MODEL_OPERATOR', /threshold/, stump({ nodes_values: { floats: [Number.NaN, 0, 0] } })],
  ['an equality split', 'STUN_MODEL_OPERATOR', /BRANCH_EQ/, stump({ nodes_modes: { strings: ['BRANCH_EQ', 'LEAF', 'LEAF'] } })],
  ['a maximum of leaves', 'STUN_MODEL_OPERATOR', /sums and averages of leaves/, stump({ aggregate_function: 'MAX' })],
  ['an output that is not the ensemble’s', 'STUN_MODEL_OPERATOR', /output x is not/, { ...stump(), outputs: layer.inputs }],
  ['a leaf for a score beyond all', 'STUN_MODEL_OPERATOR', /at most 4096/, stump({ target_ids: { ints: [0, 2 ** 40] } })],
  ['lists of different length', 'STUN_MODEL_OPERATOR', /another length/, stump({ nodes_values: { floats: [0.5] } })],
];

describe('the model compiler', () => {
  it('understands the models that the refusals start from', () => {
    assert.equal(understand(readOnnx(writeOnnx(layer))).reading, 'binary');
    assert.equal(understand(readOnnx(writeOnnx(stump()))).layers[0]?.kind, 'ensemble');
    const convolution = understand(readOnnx(writeOnnx(image({ op: 'Conv', inputs: ['x', 'k'], outputs: ['z'] }, [2, 4, 4]))));
    assert.equal(convolution.layers[0]?.kind, 'convolve');
  });

  for (const [what, code, says, graph] of graphs) {
    it(`refuses ${what}`, () => refuses(code, says, () => understand(readOnnx(writeOnnx(graph)))));
  }

  it('refuses an input whose name the compiled file needs for something else, before it makes a key', async () => {
    const outDirectory = join(tmpdir(), 'stun-never-written');
    for (const name of ['scores', 'scores_places', 'value_0']) {
      const graph = stump();
      const named = { ...graph, inputs: [{ ...graph.inputs[0]!, name }], nodes: [{ ...graph.nodes[0]!, inputs: [name] }] };
      const options = { name: 'named', calibrationCsv: null, labelColumn: null, weightBits: 8, circom: false, outDirectory };
      await rejectsCode(
        compileModel({ ...options, source: writeOnnx(named) }, () => {}),
        'STUN_MODEL_FORMAT',
      );
    }
  });

  it('refuses an operator set that is too new', () => {
    const bytes = writeOnnx(layer);
    // The import of the default domain ends the file: field 2, varint 17.
    assert.deepEqual([...bytes.subarray(-2)], [16, 17]);
    bytes[bytes.length - 1] = 99;
    refuses('STUN_MODEL_FORMAT', /operator set is 99/, () => readOnnx(bytes));
  });

  const convolution = image(
    { op: 'Conv', inputs: ['x', 'k'], outputs: ['z'], attributes: { pads: { ints: [1, 1, 1, 1] } } },
    [2, 4, 4],
  );
  const pool = image(
    { op: 'AveragePool', inputs: ['x'], outputs: ['z'], attributes: { kernel_shape: { ints: [2, 2] } } },
    [2, 4, 4],
  );
  for (const [what, source] of [
    ['a network', new Uint8Array(readFileSync(join(import.meta.dirname, '../../examples/credit-model/credit-model.onnx')))],
    ['a convolution', writeOnnx(convolution)],
    ['a pool', writeOnnx(pool)],
  ] as const) {
    it(`answers every truncation and every mutation of ${what} with a model or a code`, () => {
      const random = new SeededRandom(sampleSeed());
      const total = depth() === 'full' ? 20_000 : 400;
      let refused = 0;
      for (let i = 0; i < total; i++) {
        const changed = i % 2 === 0 ? source.slice(0, random.integer(source.length)) : source.slice();
        for (let k = 0; i % 2 === 1 && k < 3; k++) changed[random.integer(Math.min(400, source.length))] = random.integer(256);
        try {
          understand(readOnnx(changed));
        } catch (thrown) {
          assert.ok(thrown instanceof StunError && thrown.code !== 'STUN_INTERNAL', `${i}: ${String(thrown)}`);
          refused++;
        }
      }
      assert.ok(refused > total / 3, `${refused} of ${total}`);
      console.log(`      ${total} files, ${refused} refused`);
    });
  }

  for (const [what, says, csv, label] of [
    ['an empty file', /empty/, '', null],
    ['rows of another width', /row 1 has 3 columns/, 'a,b\n1,2\n1,2,3', null],
    ['a header of another width', /header has 3 columns/, 'a,b,c\n1,2,3', null],
    ['a word', /row 0, column b/, 'a,b\n1,x', null],
    ['an empty field', /row 0, column a/, 'a,b\n,1', null],
    ['a label that is not there', /no column y/, 'a,b\n1,2', 'y'],
  ] as const) {
    it(`refuses calibration rows: ${what}`, () =>
      refuses('STUN_MODEL_CALIBRATION', says, () => readCalibration(csv, { features: 2, classLabels: [] }, label)));
  }

  it('counts what lies beyond the calibrated range, of a feature that never changed all but its value', () => {
    const model = understand(readOnnx(writeOnnx(layer)));
    const calibration = Array.from({ length: 8 }, (_, i) => [i, 0.1]);
    const quantised = quantise(model, calibration, 8);
    const within = [
      [0, 0.1],
      [7, 0.1],
      [7 + 7 / 255 / 2.1, 0.1],
    ];
    assert.deepEqual(cutOffIn(quantised.quantisers, within), { valuesCutOff: 0, rowsCutOff: 0, first: null });
    const rows = [...within, [7 + 7 / 255, 0.1], [3, 0.2], [-0.1, -40]];
    const cut = cutOffIn(quantised.quantisers, rows);
    assert.deepEqual(cut, { valuesCutOff: 4, rowsCutOff: 3, first: { row: 3, feature: 0 } });
    const { valuesCutOff, rowsCutOff } = accuracyOf(model, quantised, { features: rows, labels: null }, 8);
    assert.deepEqual([valuesCutOff, rowsCutOff], [4, 3]);
  });

  it('refuses to calibrate layers with too few rows, or rows of another model', () => {
    const model = understand(readOnnx(writeOnnx(layer)));
    refuses('STUN_MODEL_CALIBRATION', /at least 8/, () => quantise(model, [[1, 2]], 8));
    refuses('STUN_MODEL_CALIBRATION', /row 0 has 3/, () => quantise(model, new Array(8).fill([1, 2, 3]), 8));
  });
});
