/**
 * A compiled model's folder that somebody forged whole, every digest in it made anew: it is refused where the integer program could mean one
 * thing to onnxruntime and another to the circuit, or could not be made a circuit at all, and where the manifest says something else of it.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { assertMadeFromProgram } from '#circuits/model/adopt-key.ts';
import { synthesise } from '#circuits/model/constraints/synthesise.ts';
import { MODEL_FILES, readCompiledFolder } from '#circuits/model/folder.ts';
import { identityOf } from '#circuits/model/manifest.ts';
import type { Operation, IntegerProgram } from '#circuits/model/program/program.ts';
import { readProgram } from '#circuits/model/program/read-program.ts';
import { utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { smallPrograms } from './model-programs.ts';

const [layers, , images, trees] = smallPrograms().map(([, program]) => program) as [
  IntegerProgram,
  IntegerProgram,
  IntegerProgram,
  IntegerProgram,
];

/** A program with some fields of one operation replaced, unknown ones too. */
function withOperation(program: IntegerProgram, kind: Operation['kind'], fields: object): object {
  const index = program.operations.findIndex((one) => one.kind === kind);
  assert.ok(index >= 0);
  return { ...program, operations: program.operations.with(index, { ...program.operations[index]!, ...fields }) };
}

const withInput = (program: IntegerProgram, fields: object): object => ({ ...program, input: { ...program.input, ...fields } });
const times = <T>(count: number, one: T): T[] => new Array<T>(count).fill(one);

function slid(kind: 'convolve' | 'window-sum' | 'window-max', fields: object): object {
  const found = images.operations.find((one) => one.kind === kind) as Extract<Operation, { kind: 'window-max' }>;
  return withOperation(images, kind, { sliding: { ...found.sliding, ...fields } });
}

const [tree] = (trees.operations[0] as Extract<Operation, { kind: 'trees' }>).trees;
const withTree = (changed: unknown): object => withOperation(trees, 'trees', { trees: [changed] });
const deep = (depth: number): unknown =>
  depth === 0 ? { leaf: [0, 0] } : { feature: 0, rank: 1, below: { leaf: [0, 0] }, above: deep(depth - 1) };

/** An element that is always 0 may be weighed with anything; what its weights make together has to be known nevertheless. */
const multiplying: object = {
  ...layers,
  input: { name: 'x', maxima: [0], bytesPerElement: 1 },
  operations: [0, 1].map((of) => ({ kind: 'scale', of, factors: [2 ** 31 - 1], biases: [0] })),
};

/** One lie each, and what the refusal says. */
const lies: readonly (readonly [what: string, program: unknown, says: RegExp])[] = [
  // With 200 for a maximum onnxruntime gives 200 for 230, and the circuit, which counts bits, 230.
  ['a maximum that is no 2^m - 1', withOperation(layers, 'requantise', { maximum: 200 }), /maximum: must be 2\^m - 1/],
  ['a maximum of 0', withOperation(layers, 'requantise', { maximum: 0 }), /maximum/],
  ['a maximum beyond int32', withOperation(layers, 'requantise', { maximum: 2 ** 32 - 1 }), /maximum/],
  ['a negative shift', withOperation(layers, 'requantise', { shifts: times(5, -1) }), /shifts/],
  ['a divisor beyond int32', withOperation(layers, 'requantise', { shifts: times(5, 31) }), /shifts/],
  ['half a shift', withOperation(layers, 'requantise', { shifts: times(5, 2.5) }), /shifts/],
  ['a shift too few', withOperation(layers, 'requantise', { shifts: times(4, 7) }), /\(requantise\): it must have a shift/],
  ['half a weight', withOperation(layers, 'affine', { weights: times(5, times(6, 0.5)) }), /weights/],
  ['a weight beyond int32', withOperation(layers, 'affine', { weights: times(5, times(6, 2 ** 31)) }), /weights/],
  ['a weight that is text', withOperation(layers, 'affine', { weights: times(5, times(6, '1')) }), /weights/],
  ['a short row', withOperation(layers, 'affine', { weights: times(5, times(5, 1)) }), /\(affine\): each row of weights/],
  ['a bias too many', withOperation(layers, 'affine', { biases: times(6, 1) }), /\(affine\): it must have a bias/],
  ['no weights', withOperation(layers, 'affine', { weights: [], biases: [] }), /weights/],
  ['accumulators beyond 32 bits', withOperation(layers, 'affine', { weights: times(5, times(6, 2 ** 24)) }), /beyond 32 bits/],
  ['a value read before it is there', withOperation(layers, 'requantise', { of: 2 }), /it reads value 2, which is not there/],
  ['a value of a negative number', withOperation(layers, 'requantise', { of: -1 }), /of: /],
  ['a field that nobody reads', withOperation(layers, 'requantise', { minimum: 1 }), /minimum/],
  ['an unknown operation', withOperation(layers, 'requantise', { kind: 'sigmoid' }), /kind/],
  ['no operations', { ...layers, operations: [] }, /operations/],
  ['no elements', withInput(layers, { maxima: [] }), /maxima/],
  ['an element beyond its bytes', withInput(layers, { maxima: times(6, 256) }), /elements of the input take 2 bytes/],
  ['more bytes than needed', withInput(layers, { bytesPerElement: 2 }), /elements of the input take 1 bytes/],
  ['an element beyond 16 bits', withInput(layers, { maxima: times(6, 65_536) }), /maxima/],
  ['a negative maximum of the input', withInput(layers, { maxima: times(6, -1) }), /maxima/],
  ['a scale beyond a byte', { ...layers, outputScale: 256 }, /outputScale/],
  ['input and output of one name', withInput(layers, { name: 'y' }), /names that nothing else/],
  ['an input with the name of a value', withInput(layers, { name: 'value_3' }), /names that nothing else/],
  ['an output with the name of a value', { ...layers, outputName: 'value_1' }, /names that nothing else/],
  ['an index of nothing', withOperation(layers, 'first-max', { of: 4 }), /\(first-max\): it reads value 4/],
  ['nothing put together', withOperation(layers, 'concatenate', { of: [] }), /of: /],
  ['a value put together too often', withOperation(layers, 'concatenate', { of: times(400_000, 3) }), /too many elements/],
  ['weights that multiply beyond doubles', multiplying, /multiply beyond 53 bits/],
  ['other channels than are read', slid('convolve', { channels: 4 }), /\(convolve\): its channels, rows and columns/],
  ['a window larger than the image', slid('window-sum', { kernel: [9, 9] }), /\(window-sum\): its window is larger/],
  ['a stride of 0', slid('window-sum', { strides: [0, 1] }), /strides/],
  ['a window of nothing', slid('window-max', { kernel: [0, 1] }), /kernel/],
  ['negative padding', slid('window-sum', { pads: [-1, 0, 0, 0] }), /pads/],
  ['a maximum of padding alone', slid('window-max', { pads: [4, 0, 1, 1] }), /\(window-max\): a window lies in the padding/],
  ['windows without end', slid('window-sum', { pads: times(4, 2 ** 20), kernel: [512, 512] }), /too many products/],
  ['groups that do not divide', withOperation(images, 'convolve', { groups: 3 }), /\(convolve\): groups must divide/],
  ['kernels of another size', withOperation(images, 'convolve', { groups: 1 }), /\(convolve\): each row of weights must have 12/],
  ['a padding too few', withOperation(images, 'convolve', { padding: [9] }), /\(convolve\): it must have a padding/],
  ['a factor too few', withOperation(images, 'scale', { factors: times(11, 1) }), /\(scale\): it must have a factor/],
  ['a bias too few', withOperation(images, 'scale', { biases: times(11, 1) }), /\(scale\): it must have as many biases/],
  ['a place that is not there', withOperation(images, 'rearrange', { order: [12] }), /\(rearrange\): it takes an element/],
  ['a sum of two sizes', withOperation(images, 'add', { of: [1, 3] }), /\(add\): it adds values of two sizes/],
  ['trees over what is no input', withOperation(trees, 'trees', { of: 1 }), /of: /],
  ['no trees', withOperation(trees, 'trees', { trees: [] }), /trees/],
  ['a tree without a branch', withTree({ ...tree!, above: undefined }), /made of leaves and splits/],
  ['a tree of something else', withTree(null), /made of leaves and splits/],
  ['half a leaf', withTree({ leaf: [0.5, 1] }), /made of leaves and splits/],
  ['a leaf of another size', withTree({ leaf: [1] }), /a leaf must have as many values/],
  ['leaves that floats do not add', withTree({ leaf: [2 ** 24, 0] }), /beyond the 2\^24/],
  ['a split on no feature', withTree({ ...tree!, feature: 4 }), /a split is on a feature that is not there/],
  ['a split at rank 0', withTree({ ...tree!, rank: 0 }), /made of leaves and splits/],
  ['a split beyond every rank', withTree({ ...tree!, feature: 0, rank: 6 }), /a split is at a rank that/],
  ['a tree too deep', withTree(deep(65)), /a tree is deeper than 64/],
  ['a tree far too deep', withTree(deep(3_000)), /a tree is deeper than 64/],
];

describe("a compiled model's folder", function () {
  this.timeout(120_000);
  let scratch: string;
  let directory: string;
  let program: IntegerProgram;

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'stun-folder-'));
    ({ directory, program } = await compiledFixture());
  });
  after(() => rm(scratch, { recursive: true, force: true }));

  /** A folder with another program or manifest, and the digests and names that follow. */
  async function forged(
    changed: unknown,
    change: (compiled: Record<string, unknown>, manifest: object) => object,
  ): Promise<string> {
    const copy = await mkdtemp(join(scratch, 'forged-'));
    const at = (kind: keyof typeof MODEL_FILES): string => join(copy, MODEL_FILES[kind]);
    await cp(directory, copy, { recursive: true });
    const text = `${JSON.stringify(changed)}\n`;
    const before = JSON.parse(await readFile(at('manifest'), 'utf8')) as { compiled: Record<string, unknown> };
    const compiled = { ...before.compiled, programSha256: bytesToHex(sha256(utf8(text))) };
    const manifest = utf8(JSON.stringify(change(compiled, { ...before, compiled })));
    const { vkHash } = JSON.parse(await readFile(at('identity'), 'utf8')) as { vkHash: `0x${string}` };
    const identity = identityOf(vkHash, manifest, new Uint8Array(32), await readFile(at('zkey')));
    await writeFile(at('program'), text);
    await writeFile(at('manifest'), manifest);
    await writeFile(at('identity'), JSON.stringify(identity));
    return copy;
  }

  it('is read when it is forged into what it was', async () => {
    const copy = await forged(program, (_, manifest) => manifest);
    assert.deepEqual((await readCompiledFolder(copy)).program, program);
    assert.match(await assertMadeFromProgram(await readCompiledFolder(copy)), /^[0-9a-f]{64}$/);
  });

  for (const [what, lie, says] of lies) {
    it(`is refused for a program with ${what}`, () => {
      assert.throws(
        () => readProgram(utf8(JSON.stringify(lie)), 'STUN_MODEL_MANIFEST'),
        (thrown) => {
          assert.ok(thrown instanceof StunError, String(thrown));
          assert.equal(thrown.code, 'STUN_MODEL_MANIFEST', thrown.message);
          assert.match(thrown.message, says);
          return true;
        },
      );
    });
  }

  it('is refused whole for such a program, digests and names notwithstanding', async () => {
    const requantised = withOperation(program, 'requantise', { maximum: 200 });
    await rejectsCode(readCompiledFolder(await forged(requantised, (_, manifest) => manifest)), 'STUN_MODEL_MANIFEST');
  });

  it('is refused for a program that is not JSON', () => {
    assert.throws(() => readProgram(utf8('{"input":'), 'STUN_MODEL_MANIFEST'), { code: 'STUN_MODEL_MANIFEST' });
    assert.throws(() => readProgram(Uint8Array.of(0x22, 0xff, 0x22), 'STUN_MODEL_MANIFEST'), { code: 'STUN_MODEL_MANIFEST' });
  });

  const says: readonly (readonly [what: string, change: (compiled: Record<string, unknown>, manifest: object) => object])[] = [
    [
      'other maxima of the input',
      (compiled, manifest) => ({ ...manifest, compiled: { ...compiled, inputMaxima: [255, 255, 255, 254] } }),
    ],
    ['another scale of the output', (compiled, manifest) => ({ ...manifest, compiled: { ...compiled, outputScale: 1 } })],
    [
      'another scale in the commitment',
      (compiled, manifest) => {
        const { input, output } = compiled['committed'] as { input: object; output: object };
        return { ...manifest, compiled: { ...compiled, committed: { input, output: { ...output, scale: 99 } } } };
      },
    ],
    [
      'other dimensions in the commitment',
      (compiled, manifest) => {
        const { input, output } = compiled['committed'] as { input: object; output: object };
        return { ...manifest, compiled: { ...compiled, committed: { input: { ...input, dims: [2, 2] }, output } } };
      },
    ],
    ['another name of the input', (_, manifest) => ({ ...manifest, inputs: [{ name: 'z', dtype: 'uint8', dims: [1, 4] }] })],
    [
      'other dimensions of the output',
      (compiled, manifest) => {
        const { input, output } = compiled['committed'] as { input: object; output: { dims: number[] } };
        const [elements = 0] = output.dims;
        const committed = { input, output: { ...output, dims: [elements + 1] } };
        const outputs = [{ name: 'scores', dtype: 'int32', dims: [1, elements + 1] }];
        return { ...manifest, outputs, compiled: { ...compiled, committed } };
      },
    ],
    [
      'a quantiser with another maximum',
      (compiled, manifest) => {
        const [first, ...others] = compiled['quantisers'] as { maximum: number }[];
        return { ...manifest, compiled: { ...compiled, quantisers: [{ ...first!, maximum: 9 }, ...others] } };
      },
    ],
    ['no constraints', (compiled, manifest) => ({ ...manifest, compiled: { ...compiled, constraints: 0 } })],
  ];
  for (const [what, change] of says) {
    it(`is refused for a manifest with ${what}`, async () => {
      await rejectsCode(readCompiledFolder(await forged(program, change)), 'STUN_MODEL_MANIFEST');
    });
  }

  for (const field of ['constraints', 'wires'] as const) {
    it(`gets no key and no approval for a manifest with another number of ${field}`, async () => {
      const copy = await forged(program, (compiled, manifest) => ({
        ...manifest,
        compiled: { ...compiled, [field]: (compiled[field] as number) - 1 },
      }));
      await rejectsCode(assertMadeFromProgram(await readCompiledFolder(copy)), 'STUN_MODEL_MANIFEST');
    });
  }

  it('holds no other program than the compiler could have written: each that tests use is read', () => {
    for (const [, one] of smallPrograms()) {
      assert.deepEqual(readProgram(utf8(JSON.stringify(one)), 'STUN_MODEL_MANIFEST'), one);
      assert.ok(synthesise(one).rows.length > 0);
    }
  });
});
