/** Compiled models: what a manifest says, and how a payload's bytes become the integers that are committed to. */
import assert from 'node:assert/strict';
import {
  assertInputRange,
  biasedElements,
  commitIntegers,
  compiledModelOf,
  encodeErrorPayload,
  encodeTensors,
  inputCommitmentOf,
  outputCommitmentOf,
  tensorIntegers,
  type CommittedTensor,
  type NamedTensor,
} from '#protocol/index.ts';
import { MANIFEST, NO_CEREMONY, partsOf, SOME_CEREMONY } from './compiled-models.ts';
import { halvesOf, referencePoseidon, sha256Of, type TaggedHash } from './reference-hashes.ts';

const INT32_LEAST = -(2 ** 31);
const INT32_MOST = 2 ** 31 - 1;

describe('a compiled model', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  it('is what its manifest says, named by key, manifest and ceremony', () => {
    const { vkHash, manifest } = partsOf(MANIFEST);
    assert.deepEqual(compiledModelOf(partsOf(MANIFEST)), {
      modelId: hash(7n, [...halvesOf(vkHash), ...halvesOf(sha256Of(manifest)), 0n, 0n]),
      name: 'tiny',
      setup: 'development',
      vkHash: MANIFEST.compiled.vkHash,
      modelSha256: MANIFEST.compiled.modelSha256,
      programSha256: MANIFEST.compiled.programSha256,
      input: { ...MANIFEST.inputs[0], shape: MANIFEST.compiled.committed.input },
      inputMaxima: MANIFEST.compiled.inputMaxima,
      output: { ...MANIFEST.outputs[0], shape: MANIFEST.compiled.committed.output },
    });
  });

  it('may have fields for others, and is another model with them', () => {
    const more = compiledModelOf(partsOf({ ...MANIFEST, description: 'scores' }));
    const { modelId, ...same } = compiledModelOf(partsOf(MANIFEST));
    assert.deepEqual({ ...more, modelId }, { modelId, ...same });
    assert.notEqual(more.modelId, modelId);
  });

  it('says whose word its key rests on', () => {
    for (const [setup, ceremonyHash] of [
      ['development', NO_CEREMONY],
      ['rehearsal', SOME_CEREMONY],
      ['ceremony', SOME_CEREMONY],
    ] as const) {
      const model = compiledModelOf(partsOf({ ...MANIFEST, compiled: { ...MANIFEST.compiled, setup } }, ceremonyHash));
      assert.equal(model.setup, setup);
    }
  });

  it('takes every input up to its maxima', () => {
    for (const input of [[0, 0, 0, 0], MANIFEST.compiled.inputMaxima]) assertInputRange(MANIFEST.compiled.inputMaxima, input);
  });
});

describe('the integers of a payload', () => {
  let hash: TaggedHash;
  before(async () => {
    hash = await referencePoseidon();
  });

  const types: readonly (readonly [CommittedTensor['dtype'], number, number, readonly number[], Uint8Array, bigint])[] = [
    ['uint8', 2, 1, [0, 1, 255], Uint8Array.of(0, 1, 255), 0n],
    ['uint16', 4, 2, [0, 256, 65_535], Uint8Array.of(0, 0, 0, 1, 255, 255), 0n],
    ['int32', 6, 4, [INT32_LEAST, -1, INT32_MOST], new Uint8Array(Int32Array.of(INT32_LEAST, -1, INT32_MOST).buffer), 2n ** 31n],
  ];
  for (const [dtype, code, bytesPerElement, integers, data, bias] of types) {
    it(`are read as ${dtype}, and committed to unsigned`, () => {
      const shape = { dtype: code, scale: 1, dims: [3], bytesPerElement };
      const tensor: CommittedTensor = { name: 't', dtype, dims: [3, 1], shape };
      const payload = encodeTensors([{ name: 't', dtype, dims: [3, 1], data }]);
      assert.deepEqual(tensorIntegers(tensor, payload), integers);
      const elements = integers.map((value) => BigInt(value) + bias);
      assert.deepEqual(biasedElements(tensor, integers), elements);
      const hex = elements.map((element) => element.toString(16).padStart(2 * bytesPerElement, '0')).join('');
      const commitment = hash(5n, [
        hash(4n, [BigInt(code), 1n, 1n, 3n, 42n]),
        BigInt(`0x${hex.padEnd(62, '0')}`),
        ...Array<bigint>(13).fill(0n),
      ]);
      for (const made of [
        commitIntegers(tensor, integers, 42n),
        inputCommitmentOf(tensor, payload, 42n),
        outputCommitmentOf(tensor, payload, 42n),
      ]) {
        assert.equal(made, commitment);
      }
    });
  }

  it('are not read where bytes are committed to: of a model that is not compiled, and of a job that was not served', () => {
    const { output } = compiledModelOf(partsOf(MANIFEST));
    const tensor: NamedTensor = { name: 'y', dtype: 'int32', dims: [2, 1], data: new Uint8Array(8) };
    const ofBytes = (payload: Uint8Array): bigint => hash(3n, [...halvesOf(sha256Of(payload)), 42n]);
    const served = encodeTensors([tensor]);
    const failed = encodeErrorPayload('STUN_MODEL_RUN');
    assert.equal(inputCommitmentOf(undefined, served, 42n), ofBytes(served));
    assert.equal(outputCommitmentOf(undefined, served, 42n), ofBytes(served));
    assert.equal(outputCommitmentOf(output, failed, 42n), ofBytes(failed));
  });
});
