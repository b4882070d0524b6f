/** Holds a job's tensors against what the model takes, before anything runs. Each way to be wrong has a code of its own. */
import { DTYPES, StunError, type NamedTensor } from '#protocol/index.ts';
import type { TensorSpec } from './manifest.ts';

/** Exponent bits of the float types, in the top bytes of a little-endian element: all ones mean NaN or infinity. */
const exponents = {
  float16: { bytes: 2, mask: 0x7c00 },
  float32: { bytes: 4, mask: 0x7f80 },
  float64: { bytes: 8, mask: 0x7ff0 },
} as const;

function isFloat(dtype: NamedTensor['dtype']): dtype is keyof typeof exponents {
  return Object.hasOwn(exponents, dtype);
}

/** Whether every element is finite. Integers and booleans always are. */
export function isFiniteTensor(tensor: NamedTensor): boolean {
  if (!isFloat(tensor.dtype)) return true;
  const { bytes, mask } = exponents[tensor.dtype];
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  for (let offset = bytes - 2; offset < tensor.data.length; offset += bytes) {
    if ((view.getUint16(offset, true) & mask) === mask) return false;
  }
  return true;
}

function checkShape(tensor: NamedTensor, spec: TensorSpec, named: Map<string, number>): void {
  if (tensor.dims.length !== spec.dims.length) {
    throw new StunError(
      'STUN_MODEL_INPUT_SHAPE',
      `${spec.name} must have ${spec.dims.length} dimensions, got ${tensor.dims.length}`,
    );
  }
  for (const [i, dim] of tensor.dims.entries()) {
    const wanted = spec.dims[i]!;
    const expected = typeof wanted === 'number' ? wanted : (named.get(wanted) ?? dim);
    if (typeof wanted === 'string') named.set(wanted, expected);
    if (dim !== expected) {
      throw new StunError('STUN_MODEL_INPUT_SHAPE', `dimension ${i} of ${spec.name} must be ${expected}, got ${dim}`);
    }
  }
}

/**
 * Checks names, element types, shapes and finiteness. The order of the tensors does not matter.
 * @param specs - the manifest's inputs
 * @returns the tensors, one per input of the model
 * @throws `STUN_MODEL_INPUT_NAME`, `STUN_MODEL_INPUT_DTYPE`, `STUN_MODEL_INPUT_SHAPE`, `STUN_MODEL_INPUT_NOT_FINITE`
 */
export function checkInputs(
  specs: readonly TensorSpec[],
  tensors: readonly NamedTensor[],
  allowNonFinite: boolean,
): readonly NamedTensor[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  if (byName.size !== specs.length) {
    throw new StunError('STUN_MODEL_INPUT_NAME', `the model takes ${specs.length} tensors, got ${byName.size}`);
  }
  const named = new Map<string, number>();
  return specs.map((spec) => {
    const tensor = byName.get(spec.name);
    if (tensor === undefined) throw new StunError('STUN_MODEL_INPUT_NAME', `the input ${spec.name} is missing`);
    if (tensor.dtype !== spec.dtype) {
      throw new StunError('STUN_MODEL_INPUT_DTYPE', `${spec.name} must be ${spec.dtype}, got code ${DTYPES[tensor.dtype].code}`);
    }
    checkShape(tensor, spec, named);
    if (!allowNonFinite && !isFiniteTensor(tensor)) {
      throw new StunError('STUN_MODEL_INPUT_NOT_FINITE', `${spec.name} must hold finite numbers only`);
    }
    return tensor;
  });
}
