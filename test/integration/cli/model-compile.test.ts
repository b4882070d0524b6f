/** `stun model compile` as a user runs it: what it says of a model that compiles, and what it refuses, leaving nothing behind. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CIRCOM_FILE } from '#circuits/model/compile.ts';
import { MODEL_FILES } from '#circuits/model/folder.ts';
import { floats, writeOnnx, type Attribute, type Graph, type Node } from '#circuits/model/onnx/write-onnx.ts';
import { exitCodeOf, type ErrorCode } from '#protocol/index.ts';
import { runCli, type CliRun } from './run-cli.ts';

/** Two features; classes 1 and 2 by the sign of x - y. */
const classifier = (attributes: Readonly<Record<string, Attribute>> = {}): Node => ({
  op: 'LinearClassifier',
  domain: 'ai.onnx.ml',
  inputs: ['x'],
  outputs: ['label', 'scores'],
  attributes: {
    coefficients: { floats: [1, -1] },
    intercepts: { floats: [0] },
    classlabels_ints: { ints: [1, 2] },
    post_transform: 'LOGISTIC',
    ...attributes,
  },
});
const graphOf = (...nodes: readonly Node[]): Graph => ({
  name: 'sign',
  nodes,
  inputs: [{ name: 'x', type: 'float32', dims: ['rows', 2] }],
  outputs: [{ name: 'label', type: 'int64', dims: ['rows'] }],
  initializers: [],
});

const rows = Array.from({ length: 32 }, (_, i) => [((i * 5) % 16) / 8, ((i * 11) % 16) / 8] as const);
const csv = ['x,y,class', ...rows.map(([x, y]) => `${x},${y},${x > y ? 2 : 1}`)].join('\n');

describe('cli: compiling a model', function () {
  this.timeout(120_000);
  let folder: string;
  const inFolder = (name: string): string => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-compile-'));
    await writeFile(inFolder('rows.csv'), csv);
  });
  afterEach(() => rm(inFolder('compiled'), { recursive: true, force: true }));
  after(() => rm(folder, { recursive: true, force: true }));

  async function compile(source: Uint8Array, ...more: readonly string[]): Promise<CliRun> {
    await writeFile(inFolder('model.onnx'), source);
    return runCli(['model', 'compile', inFolder('model.onnx'), '--out', inFolder('compiled'), ...more], { STUN_HOME: folder });
  }

  it('states the accuracy on the labels of the file, and on how many rows onnxruntime gives the same', async () => {
    const run = await compile(
      writeOnnx(graphOf(classifier())),
      '--calibrate',
      inFolder('rows.csv'),
      '--label',
      'class',
      '--circom',
      '--json',
    );
    assert.equal(run.exitCode, 0, run.stderr);
    assert.partialDeepStrictEqual(JSON.parse(run.stdout), {
      comparedRows: 16,
      accuracy: {
        heldOutRows: 16,
        metric: 'accuracy',
        floatModel: 1,
        compiledModel: 1,
        disagreements: [],
        valuesCutOff: 4,
        rowsCutOff: 4,
      },
    });
    const manifest: unknown = JSON.parse(await readFile(join(inFolder('compiled'), MODEL_FILES.manifest), 'utf8'));
    assert.partialDeepStrictEqual(manifest, { compiled: { reading: 'binary', classLabels: [1, 2] } });
    assert.match(await readFile(join(inFolder('compiled'), CIRCOM_FILE), 'utf8'), /^pragma circom [^]*\ncomponent main /m);
  });

  const outside = floats('w', [2, 1], [1, 1]);
  const refusals: readonly (readonly [
    what: string,
    code: ErrorCode,
    says: RegExp,
    source: Uint8Array,
    more: readonly string[],
  ])[] = [
    [
      'a file whose weights lie elsewhere',
      'STUN_MODEL_FORMAT',
      /w keeps its data outside the file/,
      writeOnnx({ ...graphOf(classifier()), initializers: [{ ...outside, externalFile: '/etc/passwd' }] }),
      [],
    ],
    ['half a file', 'STUN_MODEL_FORMAT', /./, writeOnnx(graphOf(classifier())).subarray(0, 90), []],
    [
      'an operator that is not compiled, by its node',
      'STUN_MODEL_OPERATOR',
      /Erf \(node 1 \(Erf\)\)/,
      writeOnnx(graphOf({ ...classifier(), outputs: ['y', 'scores'] }, { op: 'Erf', inputs: ['y'], outputs: ['label'] })),
      [],
    ],
    ['a label without rows', 'STUN_INPUT', /--label needs --calibrate/, writeOnnx(graphOf(classifier())), ['--label', 'class']],
    [
      'labels that are no classes of the model',
      'STUN_MODEL_CALIBRATION',
      /row \d+, column class: 2 is no class of the model: 0, 1/,
      writeOnnx(graphOf(classifier({ classlabels_ints: { ints: [0, 1] } }))),
      ['--calibrate', 'rows.csv', '--label', 'class'],
    ],
    [
      'a file that onnxruntime runs otherwise',
      'STUN_MODEL_MISREAD',
      /another label in the output label/,
      // onnxruntime casts to a boolean, so that both labels become the same.
      writeOnnx({
        ...graphOf(
          { ...classifier(), outputs: ['y', 'scores'] },
          { op: 'Cast', inputs: ['y'], outputs: ['label'], attributes: { to: 9 } },
        ),
        outputs: [{ name: 'label', type: 'bool', dims: ['rows'] }],
      }),
      ['--calibrate', 'rows.csv', '--label', 'class'],
    ],
  ];

  for (const [what, code, says, source, more] of refusals) {
    it(`refuses ${what}, and leaves no folder`, async () => {
      const run = await compile(source, ...more.map((word) => (word.endsWith('.csv') ? inFolder(word) : word)));
      assert.equal(run.exitCode, exitCodeOf(code), run.stderr);
      assert.ok(run.stderr.includes(code), run.stderr);
      assert.match(run.stderr, says);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith('compiled')),
        [],
      );
    });
  }
});
