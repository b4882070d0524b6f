import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readTensorFile, tensorToJson } from '#cli/commands/tensor-files.ts';
import { decodeTensors, encodeTensors, type Dtype, type ErrorCode } from '#protocol/index.ts';
import { sampleSeed } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

const ranges: Readonly<Partial<Record<Dtype, readonly [bigint, bigint]>>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bool: [0n, 1n],
};

describe('tensors in JSON files', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-tensors-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const readBack = async (document: unknown) => {
    const path = join(folder, 'input.json');
    await writeFile(path, typeof document === 'string' ? document : JSON.stringify(document));
    return readTensorFile(path);
  };

  it('keep every integer of every type, 64-bit ones as text', async () => {
    for (const [dtype, [least, most]] of Object.entries(ranges)) {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.bigInt({ min: least, max: most }), { maxLength: 9 }), async (values) => {
          const data = values.map((value) => (dtype.endsWith('64') ? value.toString() : Number(value)));
          const [job] = await readBack({ x: { dtype, dims: [values.length], data } });
          const [tensor] = decodeTensors(encodeTensors(job!));
          assert.deepEqual(tensorToJson(tensor!).data, data);
        }),
        { seed: sampleSeed(), numRuns: 20 },
      );
    }
  });

  it('keep every float, and every job of a list in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 9 }), async (values) => {
        const tensor = { dtype: 'float32', dims: [values.length], data: values };
        const jobs = await readBack([{ a: tensor, b: tensor }, { c: tensor }]);
        assert.deepEqual(
          jobs.map((job) => job.map((one) => one.name)),
          [['a', 'b'], ['c']],
        );
        assert.deepEqual(
          tensorToJson(jobs[0]![0]!).data,
          values.map((value) => (Object.is(value, -0) ? 0 : value)),
        );
      }),
      { seed: sampleSeed(), numRuns: 60 },
    );
  });

  it('take raw bytes as base64', async () => {
    const [job] = await readBack({ x: { dtype: 'uint8', dims: [3], base64: Buffer.from([1, 2, 255]).toString('base64') } });
    assert.deepEqual(job![0]!.data, Uint8Array.of(1, 2, 255));
  });

  const bad: readonly (readonly [what: string, document: unknown, code: ErrorCode])[] = [
    ['text that is no JSON', '{', 'STUN_FILE'],
    ['strings', { x: { dtype: 'string', dims: [1], data: ['a'] } }, 'STUN_TENSOR_STRING'],
    ['an unknown type', { x: { dtype: 'quad', dims: [1], data: [1] } }, 'STUN_INPUT'],
    ['an integer outside its type', { x: { dtype: 'int8', dims: [1], data: [128] } }, 'STUN_INPUT'],
    ['a negative unsigned integer', { x: { dtype: 'uint64', dims: [1], data: ['-1'] } }, 'STUN_INPUT'],
    ['a fraction as an integer', { x: { dtype: 'int32', dims: [1], data: [1.5] } }, 'STUN_INPUT'],
    ['NaN', { x: { dtype: 'float32', dims: [1], data: ['NaN'] } }, 'STUN_INPUT'],
    ['neither data nor base64', { x: { dtype: 'int8', dims: [1] } }, 'STUN_INPUT'],
    ['both', { x: { dtype: 'int8', dims: [1], data: [1], base64: 'AQ==' } }, 'STUN_INPUT'],
    ['an unknown field', { x: { dtype: 'int8', dims: [1], data: [1], extra: 1 } }, 'STUN_INPUT'],
    ['a negative dimension', { x: { dtype: 'int8', dims: [-1], data: [] } }, 'STUN_INPUT'],
  ];
  for (const [what, document, code] of bad) {
    it(`refuse ${what}`, async () => rejectsCode(readBack(document), code));
  }
});
