/** Manifests that are none of a compiled model, and payloads that its tensors are not in: one change each. */
import assert from 'node:assert/strict';
import {
  assertInputRange,
  compiledModelOf,
  encodeErrorPayload,
  encodeTensors,
  inputCommitmentOf,
  tensorIntegers,
  type NamedTensor,
} from '#protocol/index.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { MANIFEST, NO_CEREMONY, partsOf, SOME_CEREMONY, type Manifest } from '#test/unit/protocol/compiled-models.ts';

describe('manifests of compiled models', () => {
  const contradictions: readonly (readonly [string, RegExp, (manifest: Manifest) => unknown])[] = [
    ['another verification key', /another verification key/, (m) => (m.compiled.vkHash = `0x${'cd'.repeat(32)}`)],
    ['an input committed to as another type', /shape of x/, (m) => (m.compiled.committed.input.dtype = 3)],
    ['input elements of two bytes', /shape of x/, (m) => (m.compiled.committed.input.bytesPerElement = 2)],
    ['an input element too many', /shape of x/, (m) => (m.compiled.committed.input.dims = [5])],
    ['an output committed to as another type', /shape of y/, (m) => (m.compiled.committed.output.dtype = 2)],
    ['output elements of one byte', /shape of y/, (m) => (m.compiled.committed.output.bytesPerElement = 1)],
    ['an output element too few', /shape of y/, (m) => (m.compiled.committed.output.dims = [1])],
    ['a maximum too few', /maximum for each/, (m) => m.compiled.inputMaxima.pop()],
    ['a maximum too many', /maximum for each/, (m) => m.compiled.inputMaxima.push(1)],
    ['a setup that is none', /compiled\.setup/, (m) => (m.compiled.setup = 'trusted')],
    ['version 2', /version/, (m) => (m.version = 2)],
    ['two inputs', /inputs/, (m) => m.inputs.push({ name: 'z', dtype: 'uint8', dims: [1] })],
    ['no output', /outputs/, (m) => m.outputs.pop()],
    ['an input of another type', /inputs\.0\.dtype/, (m) => (m.inputs[0]!.dtype = 'int8')],
    ['an unknown field of a tensor', /inputs\.0/, (m) => Object.assign(m.inputs[0]!, { shape: {} })],
    ['a maximum of 2^16', /inputMaxima\.1/, (m) => (m.compiled.inputMaxima[1] = 65_536)],
    ['a maximum below 0', /inputMaxima\.2/, (m) => (m.compiled.inputMaxima[2] = -1)],
    ['a digest in capitals', /modelSha256/, (m) => (m.compiled.modelSha256 = 'AB'.repeat(32))],
    ['no program', /programSha256/, (m) => Reflect.deleteProperty(m.compiled, 'programSha256')],
  ];
  for (const [what, message, change] of contradictions) {
    it(`refuses ${what} with STUN_MODEL_MANIFEST`, () => {
      const manifest = structuredClone(MANIFEST);
      change(manifest);
      assert.throws(() => compiledModelOf(partsOf(manifest)), { code: 'STUN_MODEL_MANIFEST', message });
    });
  }

  it('refuses a setup that the hash of the ceremony contradicts with STUN_MODEL_MANIFEST', () => {
    for (const [setup, ceremonyHash] of [
      ['development', SOME_CEREMONY],
      ['development', new Uint8Array(32).fill(1)],
      ['rehearsal', NO_CEREMONY],
      ['ceremony', NO_CEREMONY],
    ] as const) {
      const manifest = { ...MANIFEST, compiled: { ...MANIFEST.compiled, setup } };
      throwsCode(() => compiledModelOf(partsOf(manifest, ceremonyHash)), 'STUN_MODEL_MANIFEST');
    }
  });

  it('refuses what is no JSON in UTF-8 with STUN_MODEL_MANIFEST, and keeps the cause', () => {
    const text = JSON.stringify(MANIFEST);
    const notUtf8 = Uint8Array.from(Buffer.from(text.replace('tiny', 't\u00FFny'), 'latin1'));
    for (const [manifest, cause] of [
      [text.slice(1), SyntaxError],
      [notUtf8, TypeError],
    ] as const) {
      assert.throws(
        () => compiledModelOf(partsOf(manifest)),
        (error: Error & { code?: string }) =>
          error.code === 'STUN_MODEL_MANIFEST' && error.message.endsWith('is not JSON') && error.cause instanceof cause,
      );
    }
  });
});

describe('payloads of compiled models', () => {
  const { input, output } = compiledModelOf(partsOf(MANIFEST));
  const good: NamedTensor = { name: 'x', dtype: 'uint8', dims: [1, 4], data: Uint8Array.of(1, 2, 3, 4) };
  const wider = { ...good, data: new Uint8Array(8) };
  const cases: readonly (readonly [string, ErrorCode, readonly NamedTensor[]])[] = [
    ['no tensor', 'STUN_MODEL_INPUT_NAME', []],
    ['another tensor beside it', 'STUN_MODEL_INPUT_NAME', [good, { ...good, name: 'z' }]],
    ['another name', 'STUN_MODEL_INPUT_NAME', [{ ...good, name: 'X' }]],
    ['another type of as many bytes', 'STUN_MODEL_INPUT_DTYPE', [{ ...good, dtype: 'int8' }]],
    ['a wider type', 'STUN_MODEL_INPUT_DTYPE', [{ ...wider, dtype: 'uint16' }]],
    ['other dimensions of as many elements', 'STUN_MODEL_INPUT_SHAPE', [{ ...good, dims: [4, 1] }]],
    ['a dimension too few', 'STUN_MODEL_INPUT_SHAPE', [{ ...good, dims: [1], data: Uint8Array.of(1) }]],
    ['a dimension too many', 'STUN_MODEL_INPUT_SHAPE', [{ ...good, dims: [1, 4, 1] }]],
    ['another last dimension', 'STUN_MODEL_INPUT_SHAPE', [{ ...wider, dims: [1, 8] }]],
  ];
  for (const [what, code, tensors] of cases) {
    it(`refuses ${what} with ${code}`, () => throwsCode(() => tensorIntegers(input, encodeTensors(tensors)), code));
  }

  it('are no inputs when they say why a job was not served', () => {
    throwsCode(() => inputCommitmentOf(output, encodeErrorPayload('STUN_MODEL_RUN'), 1n), 'STUN_TENSOR_LAYOUT');
  });

  it('refuses inputs outside their range with STUN_MODEL_INPUT_RANGE, naming the first', () => {
    const maxima = [255, 200, 0, 9];
    const refused = (given: readonly number[], message: RegExp): void =>
      assert.throws(() => assertInputRange(maxima, given), { code: 'STUN_MODEL_INPUT_RANGE', message });
    refused([1, 2, 0], /takes 4 integers, got 3/);
    refused([1, 2, 0, 4, 5], /takes 4 integers, got 5/);
    refused([256, 201, 0, 0], /input 0 must be an integer in 0\.\.255/);
    refused([255, 201, 0, 0], /input 1 must be an integer in 0\.\.200/);
    refused([0, 0, 1, 0], /input 2 must be an integer in 0\.\.0/);
    refused([0, 0, 0, -1], /input 3 must be/);
    refused([0, 0.5, 0, 0], /input 1 must be/);
    refused([0, Number.NaN, 0, 0], /input 1 must be/);
  });
});
