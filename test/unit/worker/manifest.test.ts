import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { opaqueModelId } from '#protocol/index.ts';
import { parseManifest, readModelFile } from '#worker/model/manifest.ts';
import { ModelRunner } from '#worker/model/runner.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { CPU, doubling, LIMITS, manifestOf, modelFileOf, twoByTwo, writeModel } from './onnx-models.ts';

describe('model manifest', () => {
  it('is hashed with the model into its id, byte for byte', async () => {
    const { modelPath, manifestPath } = await writeModel(doubling());
    const file = await readModelFile(modelPath, manifestPath);
    const [model, manifest] = [await readFile(modelPath), await readFile(manifestPath)];
    assert.equal(file.modelId, opaqueModelId(model, manifest));
    assert.equal(file.modelSha256, `0x${createHash('sha256').update(model).digest('hex')}`);
    await writeFile(manifestPath, `${manifest.toString()} `);
    assert.notEqual((await readModelFile(modelPath, manifestPath)).modelId, file.modelId);
  });

  it('may fix a dimension that the model leaves open', async () => {
    const graph = doubling();
    const fixed = { name: 'x', dtype: 'float32', dims: [4] };
    const file = await modelFileOf(graph, manifestOf(graph, { inputs: [fixed], outputs: [{ ...fixed, name: 'y' }] }));
    const runner = await ModelRunner.start(file, CPU, LIMITS);
    const tensor = (n: number) => ({ name: 'x', dtype: 'float32', dims: [n], data: new Uint8Array(4 * n) }) as const;
    assert.equal((await runner.run([tensor(4)])).length, 1);
    await rejectsCode(runner.run([tensor(3)]), 'STUN_MODEL_INPUT_SHAPE');
    runner.close();
  });

  it('keeps named dimensions of several inputs together', async () => {
    const runner = await ModelRunner.start(await modelFileOf(twoByTwo()), CPU, LIMITS);
    const int64 = (name: string, n: number) => ({ name, dtype: 'int64', dims: [n], data: new Uint8Array(8 * n) }) as const;
    const matrix = { name: 'matrix', dtype: 'uint8', dims: [1, 3], data: new Uint8Array(3) } as const;
    await rejectsCode(runner.run([int64('left', 2), int64('right', 3), matrix]), 'STUN_MODEL_INPUT_SHAPE');
    runner.close();
  });

  const wrong: readonly [string, Record<string, unknown>][] = [
    ['another input name', { inputs: [{ name: 'z', dtype: 'float32', dims: ['n'] }] }],
    ['another element type', { inputs: [{ name: 'x', dtype: 'float64', dims: ['n'] }] }],
    ['another rank', { inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 2] }] }],
    ['an output too many', { outputs: [1, 2].map((i) => ({ name: `y${i}`, dtype: 'float32', dims: ['n'] })) }],
  ];
  for (const [name, change] of wrong) {
    it(`is refused with ${name} than the model has`, async () => {
      const file = await modelFileOf(doubling(), manifestOf(doubling(), change));
      await rejectsCode(ModelRunner.start(file, CPU, LIMITS), 'STUN_MODEL_MANIFEST');
    });
  }

  it('is refused when it is no JSON, not UTF-8 or lacks a field', () => {
    for (const text of ['{', JSON.stringify({ version: 1 }), manifestOf(doubling(), { version: 2 })]) {
      throwsCode(() => parseManifest(new TextEncoder().encode(text)), 'STUN_MODEL_MANIFEST');
    }
    throwsCode(() => parseManifest(Uint8Array.of(0xff, 0xfe)), 'STUN_MODEL_MANIFEST');
  });

  it('must be there', async () => {
    const { modelPath } = await writeModel(doubling());
    await rejectsCode(readModelFile(modelPath, `${modelPath}.none`), 'STUN_FILE');
  });
});
